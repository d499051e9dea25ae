"""Optimizer steps over one epoch."""

import logging
import time
from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from accelerate.data_loader import DataLoaderShard, skip_first_batches
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor

from .batches import Batch
from .divergence import finite
from .events import StepDone
from .train_state import TrainState

log = logging.getLogger(__name__)


def train_epoch(state: TrainState, epoch: int, done: int = 0) -> Iterator[StepDone]:
    """Train one epoch but for the steps that are `done`, yielding each step.

    Raises DivergedError when the loss is not finite.
    """
    started = time.monotonic()
    state.objective.network.train()
    state.training.set_epoch(epoch)  # of the loader, which sets its own count otherwise
    first = (epoch - 1) * state.steps_per_epoch + done + 1
    group = state.recipe.gradient_accumulation_steps
    groups = _groups(_without(state.training, done * group), group)
    for step, batches in enumerate(groups, start=first):
        texts = sum(len(batch.targets) for batch in batches)
        loss = finite(_backward_in_parts(state, batches, texts), f"the training loss of step {step}")
        norm = finite(_step(state), f"the gradient of step {step}")
        yield StepDone(step, texts, loss, state.learning_rate, norm, time.monotonic() - started)
        state.heed()
        started = time.monotonic()


def _without(batches: DataLoaderShard, done: int) -> Iterator[Batch]:
    """The batches after those that are `done`."""
    if not done:
        yield from batches
        return
    remaining = iter(skip_first_batches(batches, done))
    with torch.random.fork_rng(devices=[]):  # a loader draws a number as it begins, which was done before
        first = next(remaining, None)
    if first is not None:
        yield first
        yield from remaining


def _groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Lists of `size` batches, the last one of what is left."""
    remaining = iter(batches)
    return iter(lambda: list(islice(remaining, size)), [])


def _backward_in_parts(state: TrainState, batches: list[Batch], texts: int) -> float:
    """As `_backward`, with batches in twice as many parts from now on when memory is not enough."""
    while True:
        try:
            return _backward(state, [part for batch in batches for part in batch.parts(state.parts)], texts)
        except RuntimeError as error:
            if not _can_divide(state, error):
                raise
        state.parts *= 2
        log.warning(
            "Memory is not enough for %d texts at once, going on with %d",
            2 * state.recipe_used.batch_size,
            state.recipe_used.batch_size,
        )
        state.optimizer.zero_grad()
        clear_device_cache(garbage_collection=True)


def _can_divide(state: TrainState, error: RuntimeError) -> bool:
    return state.divisible and state.parts < state.recipe.batch_size and should_reduce_batch_size(error)


def _backward(state: TrainState, batches: list[Batch], texts: int) -> float:
    """Gather the gradient of the mean over all texts of the batches; gives that mean."""
    return sum(_backward_of(state, batch, len(batch.targets) / texts) for batch in batches)


def _backward_of(state: TrainState, batch: Batch, share: float) -> float:
    """Gather `share` of the batch's gradient; gives as much of its loss, which is that without noise."""
    adversarial_noise = state.adversarial_noise
    if adversarial_noise is None:
        return _pass(state, batch, share)
    with adversarial_noise.watching():
        half = _pass(state, batch, share / 2)
    with adversarial_noise.disturbing():
        _pass(state, batch, share / 2)
    return 2 * half


def _pass(state: TrainState, batch: Batch, share: float) -> float:
    loss = batch_loss(state, batch) * share
    state.accelerator.backward(loss)
    return float(loss.detach())


def _step(state: TrainState) -> float:
    """Go a step along the gradient, cut to maxGradientNorm; gives its norm before."""
    norm = state.accelerator.clip_grad_norm_(
        state.objective.network.parameters(), state.recipe.max_gradient_norm
    )
    state.optimizer.step()
    state.schedule.step()
    state.optimizer.zero_grad()
    return float(norm)


def batch_loss(state: TrainState, batch: Batch) -> Tensor:
    """The objective's loss in the precision of training."""
    with state.accelerator.autocast():
        return state.objective.loss(batch)
