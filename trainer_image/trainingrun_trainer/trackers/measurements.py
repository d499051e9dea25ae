"""Curves as trackers have them: named numbers at a step or an epoch."""

from collections.abc import Iterator
from typing import NamedTuple

from trainingrun_api.evaluation import Curves


class Measurement(NamedTuple):
    """Numbers of one place on the curves."""

    step: int
    """What they are drawn over: the optimizer step of names in `step/`, the epoch of those in `epoch/`."""
    values: dict[str, float]


class Place(NamedTuple):
    """How far on the curves something has come."""

    step: int = 0
    epoch: int = -1
    """Epoch 0 is the first one."""


def measurements(curves: Curves, after: Place) -> Iterator[Measurement]:
    """All that comes `after` a place."""
    for point in curves.training_loss:
        if point.step > after.step:
            values = {
                "step/training_loss": point.loss,
                "step/learning_rate": point.learning_rate,
                "step/gradient_norm": point.gradient_norm,
            }
            yield Measurement(point.step, values)
    for epoch in curves.epochs:
        if epoch.epoch > after.epoch:
            losses = {"training_loss": epoch.training_loss, "evaluation_loss": epoch.evaluation_loss}
            scores = {metric.name.lower().replace(" ", "_"): score for metric, score in epoch.scores.items()}
            values = {f"epoch/{name}": value for name, value in {**losses, **scores}.items()}
            yield Measurement(epoch.epoch, values)


def end_of(curves: Curves) -> Place:
    """Where they end by now."""
    step = curves.training_loss[-1].step if curves.training_loss else Place().step
    return Place(step, curves.epochs[-1].epoch if curves.epochs else Place().epoch)
