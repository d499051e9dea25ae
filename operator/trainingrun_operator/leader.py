"""What one replica does at a time: watch, reconcile, and see that the watches miss nothing."""

import asyncio
import gc
from collections.abc import Callable, Coroutine

import kopf

from . import handlers
from .cache import Cache
from .cluster import Cluster
from .feed import Feed
from .health import Watchdog
from .kueue import GROUP, queued_jobs_in
from .metrics import Metrics
from .model_names import ModelNames
from .reconcile import Reconciler
from .references import Resolver
from .reports import Reports
from .settings import Settings
from .start import Start
from .work_queue import WorkQueue
from .workloads import Workloads


class Leader:
    """Knows nothing of the runs until it `run`s: what it then reads is new."""

    def __init__(
        self, cluster: Cluster, settings: Settings, metrics: Metrics, ca_certificate: Callable[[], str]
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._metrics = metrics
        self._ca_certificate = ca_certificate
        self.cache: Cache | None = None
        """What the watches show; None while another replica leads."""
        self._work: tuple[WorkQueue, Watchdog] | None = None

    async def run(self, reports: Reports) -> None:
        """Lead until SIGTERM, beside `reports` to this replica. Raises what goes wrong in any part."""
        cluster, settings = self._cluster, self._settings
        version = await cluster.version_of(GROUP)
        cache = Cache(queued_jobs_in(version) if version else None)
        resolver = Resolver(cache, settings)
        workloads = Workloads(cluster, cache, settings, self._ca_certificate)
        queue = WorkQueue()
        start = Start(ModelNames(cluster, cache, resolver), resolver, workloads, settings, queue)
        reconciler = Reconciler(cluster, cache, self._metrics, start, reports)
        feed = Feed(cluster, cache, resolver, queue, settings.watch_namespaces)
        await feed.fill()
        self.cache = cache
        watchdog = Watchdog(cluster, feed, queue, settings.watch_namespaces)
        self._work = queue, watchdog
        if cache.queued_kind is not None:
            handlers.watch_queues(cache.queued_kind)
        _collect_garbage_seldom()
        await run_beside(self._watch(handlers.Memo(feed)), queue.run(reconciler.reconcile), watchdog.run())

    def trouble(self) -> str | None:
        """What is wrong, None when all is well or another replica leads."""
        if self._work is None:
            return None
        _, watchdog = self._work
        return watchdog.trouble()

    def show(self) -> None:
        """Show the work as it is now, in the metrics."""
        if self._work is not None:
            queue, watchdog = self._work
            self._metrics.show_work(queue.depth, queue.longest_wait(), watchdog.verified)

    async def _watch(self, memo: handlers.Memo) -> None:
        namespaces = self._settings.watch_namespaces
        await kopf.operator(
            settings=handlers.watch_settings(),
            memo=memo,
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
        )


async def run_beside(main: Coroutine[None, None, None], *others: Coroutine[None, None, None]) -> None:
    """Run all until the first ends; an error in one ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        # kopf waits for all tasks that begin after it: theirs have to exist.
        await asyncio.sleep(0)
        await main
        for task in tasks:
            task.cancel()


def _collect_garbage_seldom() -> None:
    """Not after every 700 objects, as a page of a list alone has tens of thousands, nor what stays for good.

    A third of the processor time of 1,000 runs applied at once was garbage collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
