"""Passes through the network: what comes of them is finite; without gradients, they take less at once where
memory is short.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor, nn

from ..distributed import gather, gather_rows, size
from ..errors import SettingsError
from .batches import Batch
from .sharding import is_sharded, short_together

log = logging.getLogger(__name__)

Seen = TypeVar("Seen")


class DivergedError(SettingsError):
    """A loss, or what it is made of, is not finite; fails the run if it has no epoch to publish."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not finite; lower spec.training.learningRate")
        self.what = what


def finite(value: float, name: str) -> float:
    """The value, if it is a number; raises DivergedError, which calls it by `name`, if it is none."""
    if not math.isfinite(value):
        raise DivergedError(name)
    return value


def infer(
    network: nn.Module, batches: Iterable[Batch], at: Callable[[Batch], Seen], *, divisible: bool = True
) -> Iterator[Seen]:
    """What `at` makes of each batch with `network`, in their order.

    Of a batch that memory is not enough for, and of those after it, what it makes of parts; unless only whole
    batches have a meaning, which are not `divisible`, or all processes go through a divided network in step.
    """
    parts, divisible = 1, divisible and not is_sharded(network)
    for batch in batches:
        while True:
            try:
                with torch.no_grad():
                    seen = [at(part) for part in batch.parts(parts)]
                break
            except RuntimeError as error:
                if not divisible or parts >= len(batch.targets) or not should_reduce_batch_size(error):
                    raise
            texts, parts = math.ceil(len(batch.targets) / parts), 2 * parts
            log.warning("Out of memory in inference on %d texts at once, continuing with half of them", texts)
            clear_device_cache(garbage_collection=True)
        yield from seen


def gathered(seen: Iterable[tuple[Tensor, ...]]) -> list[Tensor]:
    """What passes give of their rows, these (rows,) first: of all processes at the first one, by row."""
    return gather(*(torch.cat(parts) for parts in zip(*seen, strict=True)))


def loss_of_all(
    network: nn.Module,
    batch: Batch,
    embedded: Callable[[Batch], list[Tensor]],
    loss_of: Callable[..., Tensor],
) -> Tensor:
    """This process's part of a loss that compares all rows of a batch, by their embeddings of each column.

    Every process makes the loss of them all, and has the gradient of its own rows in it, which together are
    the whole gradient; the value is divided among them.
    """
    with short_together(network):
        own = embedded(batch)
    if size() == 1:
        return loss_of(*own)
    loss = loss_of(*(gather_rows(column, batch.total) for column in own))
    return loss - loss.detach() * (1 - 1 / size())
