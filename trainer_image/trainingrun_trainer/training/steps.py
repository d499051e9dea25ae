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
from .trainee import Trainee

log = logging.getLogger(__name__)


def train_epoch(trainee: Trainee, epoch: int, done: int = 0) -> Iterator[StepDone]:
    """Train one epoch but for the steps that are `done`, yielding each step.

    Raises DivergedError when the loss is no number any more.
    """
    started = time.monotonic()
    trainee.objective.network.train()
    trainee.training.set_epoch(epoch)  # of the loader, which sets its own count otherwise
    first = (epoch - 1) * trainee.steps_per_epoch + done + 1
    group = trainee.recipe.gradient_accumulation_steps
    groups = _groups(_without(trainee.training, done * group), group)
    for step, batches in enumerate(groups, start=first):
        texts = sum(len(batch.targets) for batch in batches)
        loss = finite(_backward_in_parts(trainee, batches, texts), f"the training loss of step {step}")
        norm = finite(_step(trainee), f"the gradient of step {step}")
        yield StepDone(step, texts, loss, trainee.learning_rate, norm, time.monotonic() - started)
        trainee.heed()
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


def _backward_in_parts(trainee: Trainee, batches: list[Batch], texts: int) -> float:
    """As `_backward`, with batches in twice as many parts from now on when memory is not enough."""
    while True:
        try:
            return _backward(
                trainee, [part for batch in batches for part in batch.parts(trainee.parts)], texts
            )
        except RuntimeError as error:
            if not _can_divide(trainee, error):
                raise
        trainee.parts *= 2
        log.warning(
            "Memory is not enough for %d texts at once, going on with %d",
            2 * trainee.recipe_used.batch_size,
            trainee.recipe_used.batch_size,
        )
        trainee.optimizer.zero_grad()
        clear_device_cache(garbage_collection=True)


def _can_divide(trainee: Trainee, error: RuntimeError) -> bool:
    return trainee.divisible and trainee.parts < trainee.recipe.batch_size and should_reduce_batch_size(error)


def _backward(trainee: Trainee, batches: list[Batch], texts: int) -> float:
    """Gather the gradient of the mean over all texts of the batches; gives that mean."""
    return sum(_backward_of(trainee, batch, len(batch.targets) / texts) for batch in batches)


def _backward_of(trainee: Trainee, batch: Batch, share: float) -> float:
    """Gather `share` of the batch's gradient; gives as much of its loss, which is that without noise."""
    adversary = trainee.adversary
    if adversary is None:
        return _pass(trainee, batch, share)
    with adversary.watching():
        half = _pass(trainee, batch, share / 2)
    with adversary.disturbing():
        _pass(trainee, batch, share / 2)
    return 2 * half


def _pass(trainee: Trainee, batch: Batch, share: float) -> float:
    loss = batch_loss(trainee, batch) * share
    trainee.accelerator.backward(loss)
    return float(loss.detach())


def _step(trainee: Trainee) -> float:
    """Go a step along the gradient, cut to maxGradientNorm; gives its norm before."""
    norm = trainee.accelerator.clip_grad_norm_(
        trainee.objective.network.parameters(), trainee.recipe.max_gradient_norm
    )
    trainee.optimizer.step()
    trainee.schedule.step()
    trainee.optimizer.zero_grad()
    return float(norm)


def batch_loss(trainee: Trainee, batch: Batch) -> Tensor:
    """The objective's loss in the precision of training."""
    with trainee.accelerator.autocast():
        return trainee.objective.loss(batch)
