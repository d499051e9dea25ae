"""What a tracker is told of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trainingrun_api.evaluation import Curves, Evaluation, Recipe


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
