"""AdamW and its learning rates."""

from collections.abc import Iterable
from typing import Any

from torch.nn import Parameter
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from trainingrun_api.training import Training

from .objective import Objective

HEAD_FACTOR = 10
"""The head is new and the body is not: it learns ten times as fast."""

WARMUP_SHARE = 0.1
"""Of all steps, when spec.training.warmupSteps is left out."""


def build_optimizer(objective: Objective, training: Training) -> AdamW:
    """AdamW over body (its first groups) and head; biases and normalisation weights do not decay."""
    head = list(objective.head_parameters())
    in_head = {id(parameter) for parameter in head}
    body = [parameter for parameter in objective.network.parameters() if id(parameter) not in in_head]
    groups = [
        *_groups(body, training.learning_rate, training.weight_decay),
        *_groups(head, HEAD_FACTOR * training.learning_rate, training.weight_decay),
    ]
    return AdamW(groups, fused=True)


def build_schedule(optimizer: AdamW, total_steps: int, warmup_steps: int | None) -> LambdaLR:
    """Linear from zero over the warm-up, then linear to zero at the last step of maxEpochs."""
    warmup = round(total_steps * WARMUP_SHARE) if warmup_steps is None else warmup_steps

    def factor(step: int) -> float:
        if step < warmup:
            return step / warmup
        return max(0.0, (total_steps - step) / max(total_steps - warmup, 1))

    return LambdaLR(optimizer, factor)


def _groups(parameters: Iterable[Parameter], rate: float, decay: float) -> list[dict[str, Any]]:
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    # Biases and normalisation weights are what has one dimension.
    return [
        {"params": [p for p in trained if p.ndim > 1], "lr": rate, "weight_decay": decay},
        {"params": [p for p in trained if p.ndim <= 1], "lr": rate, "weight_decay": 0.0},
    ]
