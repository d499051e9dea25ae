"""Parameters, gradients and optimizer state divided among processes, for models that one GPU can't hold.

By FSDP2 (torch's `fully_shard`). Its collective operations are within each pass through the network, so that
all processes go through it equally often, and one that is short of memory can't be waited for.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from ..distributed import size, together
from .body import layers_of, transformer_of

SMALL = 1e-6
"""As torch.nn.utils.clip_grad_norm_ adds to a norm before it divides by it."""


def shard(network: nn.Module) -> None:
    """Divide the body of the transformer within `network` among all processes, layer by layer; each has the
    head whole. Nothing to do for a process alone.
    """
    if size() == 1:
        return
    body = transformer_of(network).base_model
    for unit in [*layers_of(network), body]:
        divided = fully_shard(unit)
        # Losses are divided by all texts already. A plain sum is what gloo can do.
        divided.set_gradient_divide_factor(1.0)
        divided.set_force_sum_reduction_for_comms(True)
    if isinstance(network, SentenceTransformer):
        register_fsdp_forward_method(body, "forward")  # which it calls as such, without the module's hooks


def is_sharded(network: nn.Module) -> bool:
    """Whether `shard` has divided it."""
    return any(isinstance(module, FSDPModule) for module in network.modules())


def short_together(network: nn.Module) -> AbstractContextManager[None]:
    """As `together`, but for networks whose passes are collective operations themselves."""
    return nullcontext() if is_sharded(network) else together()


def whole(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Those that each process has whole."""
    return [parameter for parameter in parameters if not isinstance(parameter, DTensor)]


def clip_gradients(parameters: Sequence[nn.Parameter], limit: float) -> Tensor:
    """Cut gradients to a norm of `limit` all together; gives their norm before."""
    if len(whole(parameters)) == len(parameters):
        return nn.utils.clip_grad_norm_(parameters, limit)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    divided = [gradient.to_local() for gradient in gradients if isinstance(gradient, DTensor)]
    undivided = [gradient for gradient in gradients if not isinstance(gradient, DTensor)]
    squares = _squares(divided, gradients[0].device)
    dist.all_reduce(squares)
    norm = (squares + _squares(undivided, squares.device)).sqrt()
    factor = (limit / (norm + SMALL)).clamp(max=1.0)
    for gradient in [*divided, *undivided]:
        gradient.mul_(factor)
    return norm


def _squares(gradients: list[Tensor], device: torch.device) -> Tensor:
    total = torch.zeros((), device=device)
    for gradient in gradients:
        total += torch.linalg.vector_norm(gradient) ** 2
    return total
