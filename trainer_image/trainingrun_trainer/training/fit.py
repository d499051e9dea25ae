"""The training loop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from trainingrun_api.evaluation import LossPoint
from trainingrun_api.training import Training

from .divergence import DivergedError
from .evaluating import evaluate_epoch
from .events import Diverged, EpochDone, StageStepDone, StepDone
from .start import start
from .steps import train_epoch
from .trainee import Trainee

POINTS_PER_EPOCH = 100
"""Most points of the training curve in one epoch."""


@dataclass
class Meter:
    """Mean loss of texts, and the points of the curve as they fall due."""

    every: int
    points: list[LossPoint] = field(default_factory=list)
    total: float = 0.0
    texts: int = 0
    steps: int = 0
    seconds: float = 0.0
    since: tuple[float, int] = (0.0, 0)
    gradient_norm: float = 0.0

    def add(self, step: StepDone, epoch: float, *, last: bool) -> None:
        """Count a step."""
        self.total += step.loss * step.texts
        self.texts += step.texts
        self.steps += 1
        self.seconds += step.seconds
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


def fit(trainee: Trainee, settings: Training) -> Iterator[StageStepDone | StepDone | EpochDone | Diverged]:
    """Train from where the trainee's history ends, yielding each step and epoch, the stage and epoch 0 first.

    Ends with Diverged when the loss is no number any more. Raises DivergedError when that is so before there
    is an epoch 0.
    """
    if not trainee.history.epochs:
        yield from start(trainee, settings)
    while not _finished(trainee):
        yield from _epoch(trainee, settings)


def _epoch(trainee: Trainee, settings: Training) -> Iterator[StepDone | EpochDone | Diverged]:
    """Train one more epoch, which does not count when it diverges."""
    steps, epoch = trainee.steps_per_epoch, trainee.history.trained + 1
    meter = Meter(every=math.ceil(steps / POINTS_PER_EPOCH))
    try:
        for done in train_epoch(trainee, epoch):
            meter.add(done, done.step / steps, last=done.step == epoch * steps)
            yield done
        summary, outcome = evaluate_epoch(trainee, epoch, meter.total / meter.texts)
    except DivergedError as error:
        trained = trainee.history.longer(meter.texts, meter.seconds)
        trainee.history = trained.diverged((epoch - 1) * steps + meter.steps, meter.points)
        yield Diverged(str(error))
        return
    trained = trainee.history.longer(meter.texts, meter.seconds)
    trainee.history = trained.after(summary, meter.points, settings.early_stopping, outcome.loss_error)
    yield EpochDone(summary, trainee.history.best is summary, _finished(trainee), outcome)


def _finished(trainee: Trainee) -> bool:
    history = trainee.history
    if history.divergence is not None:
        return True
    return history.trained >= trainee.max_epochs or history.exhausted(trainee.patience)
