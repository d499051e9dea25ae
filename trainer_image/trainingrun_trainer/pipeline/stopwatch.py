"""How long each stage takes."""

import time

from trainingrun_api.status import Stage


class Stopwatch:
    """Adds up the seconds of each stage, one at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._begun = stage, time.monotonic()
        self._seconds: dict[str, float] = {}

    def begin(self, stage: Stage) -> None:
        """The stage so far ends, this one begins, or goes on."""
        self._seconds, self._begun = self._so_far(), time.monotonic()
        self._stage = stage

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, in the order they first began, to the millisecond; the last one goes on."""
        return {stage: round(seconds, 3) for stage, seconds in self._so_far().items()}

    def _so_far(self) -> dict[str, float]:
        since = time.monotonic() - self._begun
        return self._seconds | {self._stage: self._seconds.get(self._stage, 0.0) + since}
