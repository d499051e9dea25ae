"""The workload of a run: the one its status names, or one that does exactly what the run was started with."""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import StartedWith

from .backend import BACKEND
from .cache import Cache, identity_of
from .cluster import Cluster
from .errors import ApiError, InvalidSpecError
from .observed import Attempt, Pod
from .pod_template import pod_template
from .queues import Queues
from .resources import Manifest, Run, RunKey
from .settings import Settings
from .status import AT_REST
from .workload import Workload

logger = logging.getLogger(__name__)


# The first pod is made and has a node within it, as a rule.
POD_SECONDS = 1.0


class _Created(NamedTuple):
    """One that was created, and when."""

    uid: str
    at: float


class Workloads:
    """Finds, makes and changes them. All raise ApiError."""

    def __init__(
        self, cluster: Cluster, cache: Cache, settings: Settings, ca_certificate: Callable[[], str]
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._queues = Queues(cluster, cache)
        self._settings = settings
        self._ca_certificate = ca_certificate
        self._created: dict[RunKey, _Created] = {}
        """Those that no status names yet; without this they would have to be compared."""

    async def find(self, run: Run) -> Workload | None:
        """The one that has the run's name, whosever it is."""
        known = self._cache.workloads.get(run.key)
        if known is None and run.status.job_name is not None:
            return self._seen(await self._get(run))
        return known

    async def create(self, run: Run, spec: TrainingRunSpec, started: StartedWith) -> bool:
        """Create it; False when there is one of its name, which `find` didn't know of.

        Raises InvalidSpecError too.
        """
        try:
            manifest = await self._cluster.create(BACKEND.kind, self._built(run, spec, started))
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        self._created[run.key] = _Created(manifest["metadata"]["uid"], time.monotonic())
        logger.info("%s/%s: created %s", *run.key, BACKEND.kind.name)
        self._seen(manifest)
        return True

    async def there(self, run: Run) -> Workload:
        """The one that has the run's name, from the API server. ApiError 404 when there is none."""
        workload = self._seen(await self._get(run))
        if workload is None:
            raise ApiError(404, f"{BACKEND.kind.name} {run.key.name} is gone")
        return workload

    def pod_wait(self, run: Run) -> float:
        """Seconds for which the pod of a workload that no status names yet is still waited for."""
        created = self._created.get(run.key)
        return max(created.at + POD_SECONDS - time.monotonic(), 0.0) if created else 0.0

    def names(self, run: Run, workload: Workload) -> bool:
        """Whether the run's status names it."""
        return workload.uid == run.status.job_uid

    async def origin(self, run: Run, spec: TrainingRunSpec, workload: Workload) -> StartedWith | None:
        """What it was made of; None when the run didn't make it, whatever it says of itself.

        A user of the namespace can write one, and name the run as its owner, but not the run's status.
        """
        started = run.status.started_with
        if workload.owner != run.uid or started is None:
            return None
        created = self._created.get(run.key)
        if workload.uid in {run.status.job_uid, created.uid if created else None}:
            return started
        manifest = await self._get(run)
        if manifest is None or manifest["metadata"]["uid"] != workload.uid:
            return None
        try:
            expected = await self._cluster.completed(BACKEND.kind, self._built(run, spec, started))
        except InvalidSpecError:
            return None
        return started if BACKEND.same_work(manifest, expected) else None

    async def attempts(self, run: Run, workload: Workload) -> list[Attempt]:
        """Its Pods; all whose end it has counted, once it has ended."""
        known = self._attempts(self._cache.pods.group(run.key), workload)
        if _are_all(known, run, workload):
            return known
        return self._attempts(await self.pods(run), workload)

    async def pods(self, run: Run) -> list[Pod]:
        """The Pods of all workloads of the run, from the API server."""
        pods, names = self._cache.pods, [pod.attempt.name for pod in self._cache.pods.group(run.key)]
        before = {(run.key.namespace, name): pods.identities[run.key.namespace, name] for name in names}
        version, manifests = await self._cluster.pods_of(run.key)
        there = {identity_of(manifest).uid for manifest in manifests}
        for key, (uid, _) in before.items():
            if uid not in there:
                pods.absent(key, uid, version)
        return [Pod.parse(manifest) for manifest in manifests]

    def suspends_or_resumes(self, run: Run, spec: TrainingRunSpec, workload: Workload) -> bool:
        """Whether `update` may suspend or resume it."""
        told = self._told(run, workload)
        return "suspend" in BACKEND.changes(spec, workload, suspend_told=told, final=False)

    async def update(
        self, run: Run, spec: TrainingRunSpec, workload: Workload, *, final: bool = False
    ) -> Workload:
        """Have it follow the fields of the run that may change; `final` once the run's status is."""
        told = self._told(run, workload)
        if self._queues.decide(spec, workload):
            await self._queues.follow(run, spec, workload)
            told = spec.suspend
        changes = BACKEND.changes(spec, workload, suspend_told=told, final=final)
        if not changes:
            return workload
        try:
            manifest = await self._cluster.patch_spec(BACKEND.kind, run.key, workload.uid, changes)
        except ApiError:
            self._cache.workloads.lost(run.key, workload.uid)
            raise
        self._cache.workloads.saw(manifest)
        return BACKEND.read(manifest)

    async def delete(self, run: Run, workload: Workload) -> None:
        """Delete it, and its Pods after it."""
        self._cache.workloads.lost(run.key, workload.uid)
        await self._cluster.delete(BACKEND.kind, run.key, workload.uid)

    def forget(self, key: RunKey) -> None:
        """A status names the run's workload now, or the run is gone."""
        self._created.pop(key, None)

    def _told(self, run: Run, workload: Workload) -> bool:
        """Whether it was told to be suspended: one is only created where spec.suspend is false."""
        return run.status.suspend and self.names(run, workload)

    async def _get(self, run: Run) -> Manifest | None:
        return await self._cluster.get(BACKEND.kind, run.key)

    def _seen(self, manifest: Manifest | None) -> Workload | None:
        if manifest is None:
            return None
        self._cache.workloads.saw(manifest)
        return BACKEND.read(manifest)

    def _attempts(self, pods: list[Pod], workload: Workload) -> list[Attempt]:
        failed = self._cache.failed_mounts
        return [pod.attempt_with(failed.of(pod.uid)) for pod in pods if pod.owner == workload.uid]

    def _built(self, run: Run, spec: TrainingRunSpec, started: StartedWith) -> Manifest:
        template = pod_template(run, spec, started, self._ca_certificate(), self._settings)
        return BACKEND.build(run, spec, template)


def _are_all(known: list[Attempt], run: Run, workload: Workload) -> bool:
    """Whether the workload can have these; not when one is there that was deleted before the watch began.

    Each is replaced once it has ended, and none works when the workload has ended, or was suspended before.
    The one that the status names is missed by a view from before it, or has just been deleted.
    """
    if run.status.pod_name not in {None, *(attempt.name for attempt in known)}:
        return False
    working = [attempt.index for attempt in known if not attempt.ended]
    if workload.finished:
        return not working and sum(attempt.counted for attempt in known) >= workload.counted
    if run.status.phase in AT_REST and not workload.suspended:
        return not working
    return len(set(working)) == len(working)
