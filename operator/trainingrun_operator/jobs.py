"""The Job of a run: the one that its status names, or one that does exactly what the run was started with."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import StartedWith

from .adoption import same_work
from .cache import Cache
from .children import Job, Pod
from .cluster import Cluster
from .errors import ApiError
from .job import build_job
from .observed import Attempt
from .resources import Manifest, Run, RunKey
from .settings import Settings

logger = logging.getLogger(__name__)


class Jobs:
    """Finds, makes and changes them. All raise ApiError."""

    def __init__(
        self, cluster: Cluster, cache: Cache, settings: Settings, ca_certificate: Callable[[], str]
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._settings = settings
        self._ca_certificate = ca_certificate
        self._created: dict[RunKey, str] = {}
        """UIDs of those that no status names yet; without this they would have to be compared."""

    async def find(self, run: Run) -> Job | None:
        """The Job that has the run's name, whosever it is."""
        job = self._cache.jobs.get(run.key)
        if job is None and run.status.job_name is not None:
            return self._seen(await self._cluster.job(run.key))
        return job

    async def create(self, run: Run, spec: TrainingRunSpec, started: StartedWith) -> bool:
        """Create it; False when there is one of its name, which `find` didn't know of."""
        try:
            manifest = await self._cluster.create_job(self._built(run, spec, started))
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        self._created[run.key] = manifest["metadata"]["uid"]
        logger.info("%s/%s: created its Job", *run.key)
        self._seen(manifest)
        return True

    async def there(self, run: Run) -> Job:
        """The Job that has the run's name, from the API server. ApiError 404 when there is none."""
        job = self._seen(await self._cluster.job(run.key))
        if job is None:
            raise ApiError(404, f"Job {run.key.name} is gone")
        return job

    def names(self, run: Run, job: Job) -> bool:
        """Whether the run's status names the Job."""
        return job.uid == run.status.job_uid

    async def origin(self, run: Run, spec: TrainingRunSpec, job: Job) -> StartedWith | None:
        """What the Job was made of; None when the run didn't make it, whatever the Job says of itself.

        A user of the namespace can write a Job, and name the run as its owner, but not the run's status.
        """
        started = run.status.started_with
        if job.owner != run.uid or started is None:
            return None
        if job.uid in {run.status.job_uid, self._created.get(run.key)}:
            return started
        manifest = await self._cluster.job(run.key)
        if manifest is None or manifest["metadata"]["uid"] != job.uid:
            return None
        expected = await self._cluster.completed_job(self._built(run, spec, started))
        return started if same_work(manifest, expected) else None

    async def attempts(self, run: Run, job: Job) -> list[Attempt]:
        """Its Pods; all that it has counted, once it has ended."""
        known = _attempts(self._cache.pods.group(run.key), job)
        if not job.state.finished or sum(attempt.finished for attempt in known) >= job.counted:
            return known
        return _attempts(await self.pods(run), job)

    async def pods(self, run: Run) -> list[Pod]:
        """The Pods of all Jobs of the run, from the API server."""
        return [Pod.parse(manifest) for manifest in await self._cluster.pods_of(run.key)]

    async def patch(self, run: Run, job: Job, changes: Mapping[str, Any]) -> Job:
        """Change fields of its spec."""
        try:
            manifest = await self._cluster.patch_job(run.key, job.uid, changes)
        except ApiError:
            self._cache.jobs.lost(run.key, job.uid)
            raise
        self._seen(manifest)
        return Job.parse(manifest)

    async def delete(self, run: Run, job: Job) -> None:
        """Delete it, and its Pods after it."""
        self._cache.jobs.lost(run.key, job.uid)
        await self._cluster.delete_job(run.key, job.uid)

    def forget(self, key: RunKey) -> None:
        """A status names the run's Job now, or the run is gone."""
        self._created.pop(key, None)

    def _seen(self, manifest: Manifest | None) -> Job | None:
        if manifest is None:
            return None
        self._cache.jobs.saw(manifest)
        return Job.parse(manifest)

    def _built(self, run: Run, spec: TrainingRunSpec, started: StartedWith) -> Manifest:
        return build_job(run, spec, started, self._ca_certificate(), self._settings)


def _attempts(pods: list[Pod], job: Job) -> list[Attempt]:
    return [pod.attempt for pod in pods if pod.owner == job.uid]
