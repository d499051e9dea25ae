"""What a tracker is told of a run, and the curves in it as named numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from trainingrun_api.evaluation import Curves, Evaluation, Recipe

INSTALL = "pip install 'trainingrun[trackers]'"
"""What a tracker without its package asks for."""


class Ending(StrEnum):
    """How an attempt ended."""

    FINISHED = "Finished"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"
    """The run goes on in another attempt."""


@dataclass(frozen=True)
class Snapshot:
    """A run as it is after an epoch."""

    recipe: Recipe
    curves: Curves
    """All of them, from the first step on, those of earlier attempts too."""


class Tracker(Protocol):
    """Follows a run. It raises nothing, and holds up training no more than it says."""

    def update(self, snapshot: Snapshot) -> None:
        """Training begins, goes on after a restart, or an epoch is done."""

    def end(self, ending: Ending, evaluation: Evaluation | None = None) -> None:
        """Nothing more comes of this attempt; `evaluation` is the final one of a run that finished."""


class Trackers:
    """Several trackers as one."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = trackers

    def update(self, snapshot: Snapshot) -> None:
        """Tell all."""
        for tracker in self._trackers:
            tracker.update(snapshot)

    def end(self, ending: Ending, evaluation: Evaluation | None = None) -> None:
        """Tell all."""
        for tracker in self._trackers:
            tracker.end(ending, evaluation)


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
