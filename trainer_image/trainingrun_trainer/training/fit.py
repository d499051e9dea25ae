"""The training loop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from trainingrun_api.evaluation import LossPoint
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import Training

from ..errors import SettingsError
from .batches import Batch
from .history import History
from .trainee import Trainee

MAX_GRADIENT_NORM = 1.0

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

    def add(self, step: StepDone, epoch: float, *, last: bool) -> None:
        """Count a step."""
        self.total += step.loss * step.texts
        self.texts += step.texts
        if step.step % self.every == 0 or last:
            total, texts = self.since
            loss = (self.total - total) / (self.texts - texts)
            self.points.append(
                LossPoint(step=step.step, epoch=epoch, loss=loss, learning_rate=step.learning_rate)
            )
            self.since = (self.total, self.texts)


def fit(trainee: Trainee, settings: Training) -> Iterator[StepDone | EpochDone]:
    """Train from where the trainee's history ends, yielding each step and epoch, epoch 0 among them.

    Raises SettingsError when the loss is no number any more.
    """
    if not trainee.history.epochs:
        yield _before_training(trainee, settings)
    steps = len(trainee.training)
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
    trainee.history = History(method=method).after(summary, [], settings.early_stopping)
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
    first = (epoch - 1) * len(trainee.training) + 1
    for step, batch in enumerate(trainee.training, start=first):
        texts = len(batch.targets)
        loss = float(_step(trainee, batch))
        if not math.isfinite(loss):
            raise SettingsError(
                f"step {step}: the training loss is no number any more; lower spec.training.learningRate"
            )
        yield StepDone(step, texts, loss, trainee.learning_rate)


def _step(trainee: Trainee, batch: Batch) -> Tensor:
    loss = _loss(trainee, batch)
    trainee.accelerator.backward(loss)
    trainee.accelerator.clip_grad_norm_(trainee.objective.network.parameters(), MAX_GRADIENT_NORM)
    trainee.optimizer.step()
    trainee.schedule.step()
    trainee.optimizer.zero_grad()
    return loss.detach()


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
