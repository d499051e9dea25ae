"""Runs on a cluster, watched until they end."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trainingrun_api.resources import TrainingRun

from .errors import ClientError

if TYPE_CHECKING:
    from .connection import Connection

WATCH_SECONDS = 60
"""A watch ends after this at the latest; the next one starts from what there is then."""


def watched(connection: "Connection", names: Sequence[str], timeout: float | None) -> Iterator[TrainingRun]:
    """Each run as it is now and after each change, until all have ended.

    Raises ClientError when one isn't there or is deleted, or after `timeout` seconds.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    latest: dict[str, TrainingRun] = {}
    while (left := end - time.monotonic()) > 0:
        for run in _for_a_while(connection, names, min(left, WATCH_SECONDS)):
            before = latest.get(run.name)
            if run != before and not (before and before.status.phase.finished):
                latest[run.name] = run
                yield run
            if all(name in latest and latest[name].status.phase.finished for name in names):
                return
    states = (
        f"{name}: {run.status.in_words}" for name, run in latest.items() if not run.status.phase.finished
    )
    raise ClientError("\n  ".join([f"still not finished after {timeout:.0f} s:", *states]))


def _for_a_while(connection: "Connection", names: Sequence[str], seconds: float) -> Iterator[TrainingRun]:
    """The runs as they are now, and as they become meanwhile."""
    runs, since = connection.list(TrainingRun, names)
    there = {run.name: run for run in runs}
    for name in names:
        if name not in there:
            raise ClientError(f"TrainingRun {connection.namespace}/{name}: Not Found")
        yield there[name]
    for run, gone in connection.changes(names, since, math.ceil(seconds)):
        if gone:
            raise ClientError(f"TrainingRun {connection.namespace}/{run.name} was deleted")
        yield run
