"""What work costs, whatever else the machine does."""

import time
from collections.abc import Callable
from typing import TypeVar

REPEATS = 3

Found = TypeVar("Found")


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds of this process's one core, the least of REPEATS; and what was found."""
    seconds, found = _once(work)
    for _ in range(REPEATS - 1):
        again, found = _once(work)
        seconds = min(seconds, again)
    return seconds, found


def _once(work: Callable[[], Found]) -> tuple[float, Found]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found
