"""AdamW, its learning rates and their course."""

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler
from transformers.trainer_pt_utils import get_parameter_names

from trainingrun_api.training import Schedule

from .body import depths, transformer_of
from .objective import Objective

HEAD_FACTOR = 10
"""The head is new and the body is not: it learns ten times as fast."""

LORA_FACTOR = 10
"""Adapters are new as well, and bear the rate of a head: Hu et al. took 4e-4 to 5e-4 for RoBERTa-base, and
2e-4 to 4e-4 for RoBERTa-large (table 9)."""

LEARNING_RATES = ((50_000_000, 2e-4), (250_000_000, 5e-5))
"""Default rates for models of fewer parameters than this; the larger, the smaller the steps they bear.

BERT's authors chose from 2e-5 to 5e-5 for 110 and 340 million (Devlin et al., 2019, appendix A.3), RoBERTa's
from 1e-5 to 3e-5 (Liu et al., 2019, table 10). all-MiniLM-L6-v2, of 22 million, bears more: with 8 texts in
each of 150 classes of CLINC150 it rose from 90.8%, logistic regression over its frozen embeddings, to 93.1%
at 1e-4 and 93.8% at 2e-4 (one seed, 5 epochs, on texts of the training file that were not drawn).
"""

LARGE_MODEL_RATE = 2e-5

MAX_LORA_RATE = 1e-3
"""Adapters of small models learn no faster than this by default."""

SCHEDULES = {
    Schedule.LINEAR: "linear",
    Schedule.COSINE: "cosine",
    Schedule.CONSTANT: "constant_with_warmup",
}
"""By their names in transformers."""


def default_learning_rate(parameters: int, *, lora: bool) -> float:
    """The rate for the body of a model of so many parameters, or for its adapters."""
    full = next((rate for below, rate in LEARNING_RATES if parameters < below), LARGE_MODEL_RATE)
    return min(full * LORA_FACTOR, MAX_LORA_RATE) if lora else full


def freeze_body(objective: Objective) -> None:
    """Leave only the head to be trained."""
    head = {id(parameter) for parameter in objective.head_parameters()}
    for parameter in objective.network.parameters():
        parameter.requires_grad_(id(parameter) in head)


def build_optimizer(
    objective: Objective, learning_rate: float, weight_decay: float, layer_decay: float, head_factor: int
) -> AdamW:
    """AdamW over the body, its last layer in the first group, and the head.

    Biases and normalisation weights have no weight decay; each layer learns at `layer_decay` of the rate of
    the one after it.
    """
    head = {id(parameter) for parameter in objective.head_parameters()}
    decaying = set(get_parameter_names(objective.network, [nn.LayerNorm, nn.RMSNorm]))
    depth = depths(objective.network)
    # What can be divided among processes is in other groups than what can't: one operation updates a group.
    body = {id(parameter) for parameter in transformer_of(objective.network).base_model.parameters()}
    groups: dict[tuple[float, bool, bool], list[nn.Parameter]] = {(1.0, True, True): []}
    for name, parameter in objective.network.named_parameters():
        if parameter.requires_grad:
            factor = head_factor if id(parameter) in head else layer_decay ** depth[name]
            # Biases and most normalisation weights are what has one dimension.
            decays = name in decaying and parameter.ndim > 1
            groups.setdefault((factor, decays, id(parameter) in body), []).append(parameter)
    return AdamW(
        [
            {
                "params": parameters,
                "lr": learning_rate * factor,
                "weight_decay": weight_decay if decays else 0.0,
            }
            for (factor, decays, _), parameters in groups.items()
        ],
        fused=True,
    )


def build_schedule(optimizer: AdamW, schedule: Schedule, total_steps: int, warmup_steps: int) -> LambdaLR:
    """In a line from zero over the warm-up, then as `schedule` says until the last step of maxEpochs."""
    built: LambdaLR = get_scheduler(SCHEDULES[schedule], optimizer, warmup_steps, total_steps)
    return built
