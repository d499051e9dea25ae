"""The queues that runs wait in: Kueue decides when their Jobs run, and is told when a run is not to."""

from trainingrun_api.spec import TrainingRunSpec

from .cache import Cache
from .cluster import Cluster
from .resources import Run
from .workload import Workload


class Queues:
    """All of them."""

    def __init__(self, cluster: Cluster, cache: Cache) -> None:
        self._cluster = cluster
        self._cache = cache

    def decide(self, spec: TrainingRunSpec, workload: Workload) -> bool:
        """Whether Kueue suspends and resumes the workload, and nobody else is to."""
        return spec.scheduling.queue_name is not None or self._cache.queued_job(workload) is not None

    async def follow(self, run: Run, spec: TrainingRunSpec, workload: Workload) -> None:
        """Have Kueue keep the workload from running while spec.suspend is true.

        What somebody else has taken out of its queue is put back only when spec.suspend turns false. Raises
        ApiError.
        """
        kind, queued = self._cache.queued_kind, self._cache.queued_job(workload)
        if kind is None or queued is None or queued.active is not spec.suspend:
            return
        if spec.suspend or run.status.suspend:
            key, changes = (run.key.namespace, queued.name), {"active": not spec.suspend}
            self._cache.queued_jobs.saw(await self._cluster.patch_spec(kind, key, queued.uid, changes))
