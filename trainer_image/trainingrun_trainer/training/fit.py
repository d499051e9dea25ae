"""The training loop."""

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor

from trainingrun_api.evaluation import LossPoint
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import Training

from ..errors import SettingsError
from .batches import Batch
from .history import History
from .trainee import Trainee

log = logging.getLogger(__name__)

POINTS_PER_EPOCH = 100
"""Most points of the training curve in one epoch."""

BATCHES_BEFORE_TRAINING = 50
"""Batches that the training loss of epoch 0 is the mean of: enough to draw where the curve begins."""


@dataclass(frozen=True)
class StepDone:
    """An optimizer step, numbered from 1 over all epochs."""

    step: int
    texts: int
    loss: float
    """Mean of the batch, in nats per text."""
    learning_rate: float
    gradient_norm: float
    """Before it is cut to maxGradientNorm."""


@dataclass(frozen=True)
class EpochDone:
    """An epoch, already part of the history."""

    summary: EpochSummary
    is_best: bool
    is_last: bool


@dataclass
class Meter:
    """Mean loss of texts, and the points of the curve as they fall due."""

    every: int
    points: list[LossPoint] = field(default_factory=list)
    total: float = 0.0
    texts: int = 0
    since: tuple[float, int] = (0.0, 0)
    gradient_norm: float = 0.0

    def add(self, step: StepDone, epoch: float, *, last: bool) -> None:
        """Count a step."""
        self.total += step.loss * step.texts
        self.texts += step.texts
        self.gradient_norm = max(self.gradient_norm, step.gradient_norm)
        if step.step % self.every == 0 or last:
            total, texts = self.since
            loss = (self.total - total) / (self.texts - texts)
            self.points.append(
                LossPoint(
                    step=step.step,
                    epoch=epoch,
                    loss=loss,
                    learning_rate=step.learning_rate,
                    gradient_norm=self.gradient_norm,
                )
            )
            self.since = (self.total, self.texts)
            self.gradient_norm = 0.0


def fit(trainee: Trainee, settings: Training) -> Iterator[StepDone | EpochDone]:
    """Train from where the trainee's history ends, yielding each step and epoch, epoch 0 among them.

    Raises SettingsError when the loss is no number any more.
    """
    if not trainee.history.epochs:
        yield _before_training(trainee, settings)
    steps = trainee.steps_per_epoch
    while not _finished(trainee, settings):
        epoch = trainee.history.trained + 1
        meter = Meter(every=math.ceil(steps / POINTS_PER_EPOCH))
        for done in train_epoch(trainee, epoch):
            meter.add(done, done.step / steps, last=done.step == epoch * steps)
            yield done
        summary = _evaluate_epoch(trainee, epoch, meter.total / meter.texts)
        trainee.history = trainee.history.after(summary, meter.points, settings.early_stopping)
        yield EpochDone(summary, trainee.history.best is summary, _finished(trainee, settings))


def _before_training(trainee: Trainee, settings: Training) -> EpochDone:
    method = trainee.objective.start_head(trainee.training)
    summary = _evaluate_epoch(trainee, 0, _loss_before_training(trainee))
    trainee.history = History(method=method, metric=settings.early_stopping.metric).after(
        summary, [], settings.early_stopping
    )
    return EpochDone(summary, is_best=True, is_last=False)


def _loss_before_training(trainee: Trainee) -> float:
    trainee.objective.network.eval()
    trainee.training.set_epoch(1)
    losses, texts = 0.0, 0
    with torch.no_grad():
        for batch in islice(trainee.training, BATCHES_BEFORE_TRAINING):
            count = len(batch.targets)
            losses += count * float(_loss(trainee, batch))
            texts += count
    return losses / texts


def _finished(trainee: Trainee, settings: Training) -> bool:
    history = trainee.history
    return history.trained >= settings.max_epochs or history.exhausted(settings.early_stopping)


def train_epoch(trainee: Trainee, epoch: int) -> Iterator[StepDone]:
    """Train one epoch, yielding each step. Raises SettingsError when the loss is no number any more."""
    trainee.objective.network.train()
    trainee.training.set_epoch(epoch)  # of the loader, which sets its own count otherwise
    first = (epoch - 1) * trainee.steps_per_epoch + 1
    groups = _groups(trainee.training, trainee.recipe.gradient_accumulation_steps)
    for step, batches in enumerate(groups, start=first):
        texts = sum(len(batch.targets) for batch in batches)
        loss = _backward_in_parts(trainee, batches, texts)
        if not math.isfinite(loss):
            raise SettingsError(
                f"step {step}: the training loss is no number any more; lower spec.training.learningRate"
            )
        norm = _step(trainee)
        yield StepDone(step, texts, loss, trainee.learning_rate, norm)


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
    total = 0.0
    for batch in batches:
        loss = _loss(trainee, batch) * (len(batch.targets) / texts)
        trainee.accelerator.backward(loss)
        total += float(loss.detach())
    return total


def _step(trainee: Trainee) -> float:
    """Go a step along the gradient, cut to maxGradientNorm; gives its norm before."""
    norm = trainee.accelerator.clip_grad_norm_(
        trainee.objective.network.parameters(), trainee.recipe.max_gradient_norm
    )
    trainee.optimizer.step()
    trainee.schedule.step()
    trainee.optimizer.zero_grad()
    return float(norm)


def _loss(trainee: Trainee, batch: Batch) -> Tensor:
    with trainee.accelerator.autocast():
        return trainee.objective.loss(batch)


def _evaluate_epoch(trainee: Trainee, epoch: int, training_loss: float) -> EpochSummary:
    outcome = trainee.evaluate()
    if not math.isfinite(outcome.loss):
        raise SettingsError(
            f"epoch {epoch}: the evaluation loss is no number; lower spec.training.learningRate"
        )
    return EpochSummary(
        epoch=epoch,
        training_loss=training_loss,
        evaluation_loss=outcome.loss,
        accuracy=outcome.accuracy,
        f1=outcome.f1,
        learning_rate=trainee.learning_rate if epoch else 0.0,
    )
