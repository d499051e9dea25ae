"""What the API server tells goes into the cache, and the runs that it concerns are looked at."""

import logging
from collections.abc import Iterable
from typing import Any

from .backend import BACKEND
from .cache import Cache, Table, identity_of
from .cluster import Cluster
from .failed_mounts import FAILED_MOUNTS
from .kinds import PODS, PROJECTS, RUNS, Kind
from .kueue import QueuedJob
from .observed import Pod
from .references import Resolver
from .resources import Key, Manifest, Referent, RunKey, key_of
from .work_queue import WorkQueue

logger = logging.getLogger(__name__)


class Feed:
    """Takes what watches and lists show."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        resolver: Resolver,
        queue: WorkQueue,
        namespaces: tuple[str, ...],
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._resolver = resolver
        self._queue = queue
        self._namespaces = namespaces
        self.tables: dict[Kind, Table[Any]] = {
            RUNS: cache.runs,
            PROJECTS: cache.projects,
            BACKEND.kind: cache.workloads,
            PODS: cache.pods,
        }
        if cache.queued_kind is not None:
            self.tables[cache.queued_kind] = cache.queued_jobs
        self._heard: dict[tuple[Kind, str], int] = {}

    @property
    def watches_queues(self) -> bool:
        """Whether Kueue was installed when the operator started."""
        return self._cache.queued_kind is not None

    async def fill(self) -> None:
        """Everything there is; before that nothing can be said to be missing."""
        for kind in self.tables:
            await self.read(kind)
        for kind, hear in ((BACKEND.refusals, self.refused), (FAILED_MOUNTS, self.mount_failed)):
            async for _, page in self._cluster.pages(kind, self._namespaces):
                for event in page:
                    hear(event)

    async def read(self, kind: Kind) -> None:
        """All objects of a kind."""
        async for _, page in self._cluster.pages(kind, self._namespaces):
            for manifest in page:
                self.shown(kind, manifest)

    def hear(self, kind: Kind, manifest: Manifest) -> None:
        """A watch shows something of an object."""
        watch = kind, self.watch_of(key_of(manifest))
        self._heard[watch] = max(identity_of(manifest).version, self.heard(*watch))

    def heard(self, kind: Kind, watch: str) -> int:
        """The newest resourceVersion that this watch of the kind has shown; 0 before the first."""
        return self._heard.get((kind, watch), 0)

    def watch_of(self, key: Key) -> str:
        """The namespace whose watch shows this object; "" for the watch of the whole cluster."""
        return key[0] if self._namespaces else ""

    def shown(self, kind: Kind, manifest: Manifest) -> None:
        """An object as it is."""
        key = key_of(manifest)
        try:
            news = self.tables[kind].saw(manifest)
        except ValueError:
            # As one that a newer operator wrote; the others must not suffer.
            logger.exception("%s %s/%s can't be read", kind.plural, *key)
            return
        if news:
            # A run begins before others are seen to: many at once begin sooner.
            begins = kind is RUNS and "status" not in manifest
            self._look_at(self._concerned(kind, key), first=begins)

    def gone(self, kind: Kind, key: Key, uid: str) -> None:
        """An object that isn't there any more."""
        concerned = self._concerned(kind, key)
        self.tables[kind].lost(key, uid)
        self._look_at(concerned)

    def refused(self, event: Manifest) -> None:
        """A run's pod was rejected, as an Event says."""
        self._queue.add(self._cache.refusals.saw(event))

    def mount_failed(self, event: Manifest) -> None:
        """A volume of a pod can't be mounted, as an Event says."""
        pod = self._cache.pods.get(self._cache.failed_mounts.saw(event))
        if pod is not None:
            self._queue.add(pod.run)

    def _concerned(self, kind: Kind, key: Key) -> list[RunKey]:
        return [*self._own(kind, key), *self._dependents(kind, key)]

    def _own(self, kind: Kind, key: Key) -> list[RunKey]:
        """The run whose object this is."""
        if kind in {RUNS, BACKEND.kind}:
            return [RunKey(*key)]
        child = self.tables[kind].get(key) if kind in {PODS, self._cache.queued_kind} else None
        return [child.run] if child and self._is_ours(child) else []

    def _is_ours(self, child: Pod | QueuedJob) -> bool:
        """Whether it is a run's; of queued Jobs, most may be of others."""
        if isinstance(child, Pod):
            return True
        workload = self._cache.workloads.get(child.run)
        return workload is not None and workload.uid == child.job

    def _dependents(self, kind: Kind, key: Key) -> list[RunKey]:
        """The runs that wait for this object."""
        return [*self._resolver.dependents(Referent(kind.name, *key))] if kind in {RUNS, PROJECTS} else []

    def _look_at(self, runs: Iterable[RunKey], *, first: bool = False) -> None:
        for run in runs:
            self._queue.add(run, first=first)
