"""Whether the operator does its work, not merely whether its process answers."""

import asyncio
import logging
import time

from .cluster import Cluster
from .errors import ApiError
from .resources import Manifest, RunKey
from .work_queue import WorkQueue

logger = logging.getLogger(__name__)

AUDIT_SECONDS = 60.0
# A reconcile is a handful of requests with a time limit of half a minute each.
STUCK_SECONDS = 300.0

Version = tuple[str, str]


class Watchdog:
    """Lists the runs now and then, and compares with what the watch has shown."""

    def __init__(self, cluster: Cluster, queue: WorkQueue, namespaces: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._queue = queue
        self._namespaces = namespaces
        self._seen: dict[str, str] = {}
        self._missed: frozenset[Version] = frozenset()
        self._lost = False
        self._last_audit = time.monotonic()

    def saw(self, run: Manifest) -> None:
        """The watch has shown this run."""
        uid, version = _version(run)
        self._seen[uid] = version

    def trouble(self) -> str | None:
        """What is wrong, None when all is well."""
        if self._queue.longest_work() > STUCK_SECONDS:
            return "a reconcile hangs"
        if time.monotonic() - self._last_audit > STUCK_SECONDS:
            return "the audit loop hangs"
        return "the watch of TrainingRuns shows nothing new" if self._lost else None

    async def run(self) -> None:
        """Audit until cancelled."""
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            try:
                self.compare(await self._cluster.runs(self._namespaces))
            except ApiError as error:
                # Without an API server there is nothing to do; a restart would not help.
                logger.warning("audit put off: %s", error)
            self._last_audit = time.monotonic()

    def compare(self, runs: list[Manifest]) -> None:
        """Enqueue what the watch has not shown; it is lost when the same was missing an audit ago."""
        missed = {
            _version(run): RunKey.of(run)
            for run in runs
            if self._seen.get(_version(run)[0]) != _version(run)[1]
        }
        for key in missed.values():
            self._queue.add(key)
        self._lost = not self._missed.isdisjoint(missed)
        self._missed = frozenset(missed)
        alive = {_version(run)[0] for run in runs}
        self._seen = {uid: version for uid, version in self._seen.items() if uid in alive}


def _version(run: Manifest) -> Version:
    return run["metadata"]["uid"], run["metadata"]["resourceVersion"]
