"""Health proves that the watch shows what the API server holds."""

import pytest

from trainingrun_operator.health import Watchdog
from trainingrun_operator.resources import RunKey
from trainingrun_operator.work_queue import WorkQueue

from .cluster import Api
from .manifests import Manifest, a_run
from .process import OperatorProcess


class Enqueued(WorkQueue):
    """Remembers what it was asked to look at."""

    def __init__(self) -> None:
        super().__init__(_nothing)
        self.keys: list[RunKey] = []

    def add(self, key: RunKey) -> None:
        self.keys.append(key)


async def _nothing(key: RunKey) -> None:
    pass


@pytest.fixture
def queue() -> Enqueued:
    return Enqueued()


@pytest.fixture
def watchdog(queue: Enqueued) -> Watchdog:
    return Watchdog(None, queue, ())  # type: ignore[arg-type]


def a_listed_run(version: str) -> Manifest:
    metadata = {"namespace": "team", "uid": "u-1", "resourceVersion": version}
    run = a_run("tickets")
    return run | {"metadata": run["metadata"] | metadata}


async def test_what_the_watch_has_shown_is_fine(watchdog: Watchdog, queue: Enqueued) -> None:
    watchdog.saw(a_listed_run("7"))
    watchdog.compare([a_listed_run("7")])
    assert (watchdog.trouble(), queue.keys) == (None, [])


async def test_what_the_watch_has_missed_is_looked_at_and_told_when_it_stays_so(
    watchdog: Watchdog, queue: Enqueued
) -> None:
    watchdog.saw(a_listed_run("7"))
    watchdog.compare([a_listed_run("8")])
    assert (watchdog.trouble(), queue.keys) == (None, [RunKey("team", "tickets")])
    watchdog.compare([a_listed_run("8")])
    assert "watch" in str(watchdog.trouble())
    watchdog.saw(a_listed_run("8"))
    watchdog.compare([a_listed_run("8")])
    assert watchdog.trouble() is None


def test_operator_at_work_is_healthy_and_counts_its_reconciles(api: Api, operator: OperatorProcess) -> None:
    api.apply(a_run("seen"))
    api.eventually("seen", phase="Pending", reason="Unschedulable")
    assert operator.healthy()
    assert "trainingrun_operator_reconcile_duration_seconds_bucket" in operator.metrics()
    assert "trainingrun_operator_reconcile_errors_total" in operator.metrics()
