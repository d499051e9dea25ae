"""How training has gone so far: steps and epochs as they end, what early stopping and curves are made of."""

import math
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import TypeAdapter

from trainingrun_api.base import Model
from trainingrun_api.evaluation import (
    Baseline,
    BaselineMethod,
    Curves,
    Divergence,
    LossPoint,
    Restart,
    StageOutcome,
    Timing,
)
from trainingrun_api.metrics import BY_STOPPING, LOSS, StoppingMetric
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import EarlyStopping

from ..errors import SettingsError
from ..evaluation import FoundIssues
from .objective import Outcome


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
    seconds: float
    """From the step before, or the beginning of the epoch, without what the listeners took."""


@dataclass(frozen=True)
class StageStepDone:
    """A step of the similarity stage, before epoch 0."""

    done: StepDone
    total: int
    """Steps of the stage."""


@dataclass(frozen=True)
class SaveDue:
    """A checkpoint is due, of the state as it is between two steps."""


@dataclass(frozen=True)
class Diverged:
    """The loss is not finite: training has ended, and the epochs before count."""

    message: str
    """What was not finite, and what to change."""


@dataclass(frozen=True)
class EpochDone:
    """An epoch, already part of the history."""

    summary: EpochSummary
    is_best: bool
    is_last: bool
    outcome: Outcome[Any] | None = field(default=None, repr=False)
    """The pass that its scores were made of; None for epoch 0."""


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

    @classmethod
    def of_epoch(cls, steps: int) -> "Meter":
        return cls(every=math.ceil(steps / POINTS_PER_EPOCH))

    def add(self, step: StepDone, epoch: float, *, last: bool) -> None:
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


METER = TypeAdapter[Meter | None](Meter | None)
"""Reads one from plain values, and writes it as such."""


class History(Model):
    """Epochs and curve so far; a value, `after` gives the next one."""

    method: BaselineMethod = BaselineMethod.BASE_MODEL
    """How the model that training starts from came by its head."""
    before_stage: EpochSummary | None = None
    """The model before the similarity stage; None where there is no stage, and epoch 0 is that model."""
    stage: StageOutcome | None = None
    """What the similarity stage made of it."""
    label_issues: FoundIssues | None = None
    """Labels of the training split that are likely wrong; None where nothing tells."""
    epochs: list[EpochSummary] = []
    """All epochs, from 0, the model before epoch 1."""
    curve: list[LossPoint] = []
    """Training loss by step."""
    restarts: list[Restart] = []
    """Where training went on from a checkpoint."""
    divergence: Divergence | None = None
    """Where the loss was not finite."""
    texts: int = 0
    """Texts that the steps so far were made of, each counted once an epoch."""
    seconds: float = 0.0
    """What these steps took."""
    metric: StoppingMetric = StoppingMetric.EVALUATION_LOSS
    """What makes an epoch the best."""
    reference: float | None = None
    """Merit that the next epochs have to surpass by minDelta."""
    stale: int = 0
    """Epochs since one did."""
    loss_errors: list[float] = []
    """Standard error of each epoch's evaluation loss."""

    @property
    def trained(self) -> int:
        """Number of epochs trained; epoch 0 is none."""
        return max(len(self.epochs) - 1, 0)

    @property
    def baseline(self) -> Baseline:
        """The model before training."""
        return Baseline(method=self.method, scores=self.before_stage or self.epochs[0])

    @property
    def best(self) -> EpochSummary:
        """The best epoch by the metric; the one with the lower loss, then the first, on a tie.

        By the evaluation loss, the last that is as good as the one with the lowest: within its standard error
        (as in Breiman et al., 1984), and better than the model before training.
        """
        if self.metric is StoppingMetric.EVALUATION_LOSS:
            return self._last_as_good
        return max(self.epochs, key=lambda epoch: (merit(epoch, self.metric), -epoch.evaluation_loss))

    @property
    def _last_as_good(self) -> EpochSummary:
        losses = [epoch.evaluation_loss for epoch in self.epochs]
        lowest = losses.index(min(losses))
        bound = min(losses[lowest] + self.loss_errors[lowest], losses[0])
        as_good = [epoch for epoch in self.epochs if epoch.evaluation_loss < bound]
        return as_good[-1] if as_good else self.epochs[lowest]

    @property
    def curves(self) -> Curves:
        """All of it that a user sees."""
        return Curves(
            training_loss=self.curve,
            epochs=self.epochs,
            restarts=self.restarts,
            divergence=self.divergence,
        )

    def timing(self, stages: dict[str, float]) -> Timing:
        """How long it took; `stages` has the seconds of each stage."""
        speed = self.texts / self.seconds if self.seconds else None
        return Timing(stages=stages, training_seconds=self.seconds, texts_per_second=speed)

    def longer(self, texts: int, seconds: float) -> Self:
        """The history with so many more texts trained on."""
        return self.model_copy(update={"texts": self.texts + texts, "seconds": self.seconds + seconds})

    def restarted(self, step: int) -> Self:
        """The history that training goes on from in another attempt, after so many steps."""
        restart = Restart(step=step, epoch=self.trained)
        return self.model_copy(update={"restarts": [*self.restarts, restart]})

    def after(
        self,
        epoch: EpochSummary,
        curve: list[LossPoint],
        stopping: EarlyStopping,
        loss_error: float = 0.0,
    ) -> Self:
        """The history with one more epoch. Raises SettingsError when it lacks the metric."""
        value = merit(epoch, self.metric)
        improved = self.reference is None or value > self.reference + stopping.min_delta
        longer = self.model_copy(
            update={
                "epochs": [*self.epochs, epoch],
                "loss_errors": [*self.loss_errors, loss_error],
                "curve": [*self.curve, *curve],
                "reference": value if improved else self.reference,
            }
        )
        by_loss = self.metric is StoppingMetric.EVALUATION_LOSS
        as_good = by_loss and not stopping.min_delta and longer.best is epoch
        return longer.model_copy(update={"stale": 0 if improved or as_good else self.stale + 1})

    def diverged(self, step: int, curve: list[LossPoint]) -> Self:
        """The history of training that ended there, after so many steps, in an epoch that does not count."""
        where = Divergence(step=step, epoch=self.trained + 1)
        return self.model_copy(update={"curve": [*self.curve, *curve], "divergence": where})

    def exhausted(self, patience: int | None) -> bool:
        """True when so many epochs brought no improvement; None bounds nothing."""
        return patience is not None and self.stale >= patience


def merit(epoch: EpochSummary, name: StoppingMetric) -> float:
    """The epoch's metric, signed so that more is better. Raises SettingsError when the task lacks it."""
    metric = BY_STOPPING[name]
    value = epoch.evaluation_loss if metric is LOSS else epoch.scores.get(metric)
    if value is None:
        raise SettingsError(f"spec.training.earlyStopping.metric: this task has no {name}; name another")
    return metric.merit(value)
