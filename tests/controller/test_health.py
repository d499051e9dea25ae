"""Health proves that the watches show what the API server holds."""

import asyncio

import pytest
from kubernetes.aio.config import new_client_from_config

from localcluster import ControlPlane
from trainingrun_operator import health
from trainingrun_operator.cache import Cache, Identity
from trainingrun_operator.cluster import Cluster
from trainingrun_operator.feed import Feed
from trainingrun_operator.health import Listed, Watchdog
from trainingrun_operator.kinds import RUNS
from trainingrun_operator.references import Resolver
from trainingrun_operator.resources import RunKey
from trainingrun_operator.settings import Settings
from trainingrun_operator.work_queue import WorkQueue

from .cluster import Api
from .manifests import Manifest, a_run
from .process import OperatorProcess

KEY = RunKey("team", "tickets")
SETTINGS = Settings.from_environment({"TRAINER_IMAGE": "example.com/trainer:1", "POD_NAMESPACE": "system"})
UNASKED: Cluster = None  # type: ignore[assignment]


class Enqueued(WorkQueue):
    """Remembers what it was asked to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[RunKey] = []
        self.told = asyncio.Event()

    def add(self, key: RunKey, *, first: bool = False) -> None:
        self.keys.append(key)
        self.told.set()


@pytest.fixture
def queue() -> Enqueued:
    return Enqueued()


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def feed(cache: Cache, queue: Enqueued) -> Feed:
    return Feed(UNASKED, cache, Resolver(cache, SETTINGS), queue, ())


@pytest.fixture
def watchdog(feed: Feed, queue: Enqueued) -> Watchdog:
    return Watchdog(UNASKED, feed, queue, ())


def a_version(version: int) -> Manifest:
    """A run as a watch shows it."""
    metadata = {"namespace": "team", "uid": "u-1", "resourceVersion": str(version), "generation": 1}
    run = a_run("tickets")
    created = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return run | {"metadata": run["metadata"] | metadata | created}


def listed(version: int | None, at: int = 100) -> Listed:
    """What a list shows: the run, or that there is none."""
    return Listed(at, {KEY: Identity("u-1", version)} if version else {})


def test_what_the_watch_has_shown_is_fine(watchdog: Watchdog, feed: Feed, queue: Enqueued) -> None:
    feed.shown(RUNS, a_version(7))
    queue.keys.clear()
    assert not watchdog.compare(RUNS, listed(7))
    assert (watchdog.trouble(), queue.keys) == (None, [])


def test_what_the_watch_misses_is_known_by_the_audit_and_the_watch_called_dead_when_it_stays_so(
    watchdog: Watchdog, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.hear(RUNS, a_version(7))
    feed.shown(RUNS, a_version(7))
    assert watchdog.compare(RUNS, listed(8))
    feed.shown(RUNS, a_version(8))  # read by the audit
    assert not watchdog.compare(RUNS, listed(8))
    assert watchdog.trouble() is None, "it may only be late"
    monkeypatch.setattr(health, "LATE_SECONDS", 0.0)
    assert "watch of trainingruns" in str(watchdog.trouble())
    feed.hear(RUNS, a_version(8))
    assert watchdog.trouble() is None
    assert watchdog.compare(RUNS, listed(9))
    assert "watch of trainingruns" in str(watchdog.trouble())


def test_a_run_that_can_not_be_read_does_not_keep_others_out(
    watchdog: Watchdog, feed: Feed, queue: Enqueued
) -> None:
    feed.shown(RUNS, a_version(7) | {"status": {"phase": "NewerThanThis"}})
    assert queue.keys == []
    assert not watchdog.compare(RUNS, listed(7)), "the watch has shown it"
    feed.shown(RUNS, a_version(8))
    assert queue.keys == [KEY]


def test_what_is_gone_without_a_word_is_dropped_and_looked_at(
    watchdog: Watchdog, feed: Feed, cache: Cache, queue: Enqueued
) -> None:
    feed.shown(RUNS, a_version(7))
    queue.keys.clear()
    watchdog.compare(RUNS, listed(None, at=6))
    assert cache.runs.get(KEY) is not None, "created after the list"
    watchdog.compare(RUNS, listed(None))
    assert (cache.runs.get(KEY), queue.keys) == (None, [KEY])


async def test_audit_finds_what_no_watch_has_told(
    api: Api, control_plane: ControlPlane, queue: Enqueued
) -> None:
    async with await new_client_from_config(str(control_plane.kubeconfig)) as client:
        cluster = Cluster(client)
        cache, namespaces = Cache(), (api.namespace,)
        feed = Feed(cluster, cache, Resolver(cache, SETTINGS), queue, namespaces)
        watchdog = Watchdog(cluster, feed, queue, namespaces)
        await feed.fill()
        key = RunKey.of(api.apply(a_run("silent")))
        await watchdog.audit()
        assert cache.runs.get(key) is not None
        assert set(queue.keys) == {key}
        api.delete("TrainingRun", "silent")
        api.until(lambda: api.get("TrainingRun", "silent") is None, "the run to be gone")
        await watchdog.audit()
        assert cache.runs.get(key) is None


async def test_first_audit_comes_soon_for_what_was_deleted_before_the_watches_began(
    api: Api, control_plane: ControlPlane, queue: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FIRST_AUDIT_SECONDS", 0.1)
    async with await new_client_from_config(str(control_plane.kubeconfig)) as client:
        cluster = Cluster(client)
        cache, namespaces = Cache(), (api.namespace,)
        feed = Feed(cluster, cache, Resolver(cache, SETTINGS), queue, namespaces)
        key = RunKey.of(api.apply(a_run("early")))
        await feed.fill()
        api.delete("TrainingRun", "early")
        api.until(lambda: api.get("TrainingRun", "early") is None, "the run to be gone")
        queue.told.clear()
        audits = asyncio.create_task(Watchdog(cluster, feed, queue, namespaces).run())
        await asyncio.wait_for(queue.told.wait(), health.AUDIT_SECONDS / 2)
        audits.cancel()
        assert cache.runs.get(key) is None


def test_operator_at_work_is_healthy_and_counts_its_reconciles(api: Api, operator: OperatorProcess) -> None:
    api.apply(a_run("seen"))
    api.eventually("seen", phase="Pending", reason="Unschedulable")
    assert operator.healthy()
    assert "trainingrun_operator_reconcile_duration_seconds_bucket" in operator.metrics()
    assert "trainingrun_operator_reconcile_errors_total" in operator.metrics()
