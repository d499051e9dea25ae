"""What is done beside training, as often as it costs little."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 0.1
"""Most of the time of training that any one thing beside it may take."""


class TimeShare:
    """Says when something may be done again, so that it takes at most SHARE of the time."""

    def __init__(self, expected_seconds: float = 0.0) -> None:
        self._cost = expected_seconds
        self._ended = time.monotonic()

    def due(self, now: float) -> bool:
        """Whether enough time has gone by since it was last done; `now` is a monotonic time."""
        return self._cost <= SHARE * (now - self._ended)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Around what is done: its time decides when it is due again."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._ended = time.monotonic()
            self._cost = self._ended - started
