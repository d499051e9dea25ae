"""What is measured in the course of an epoch."""

import math
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from trainingrun_api.evaluation import LossPoint

from .events import StepDone

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
        """For an epoch of so many steps."""
        return cls(every=math.ceil(steps / POINTS_PER_EPOCH))

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


METER = TypeAdapter(Meter)
"""Reads and writes one as JSON."""
