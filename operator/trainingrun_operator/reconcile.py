"""Bring one run closer to its spec, from what the API server holds now."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trainingrun_api.names import MANAGED_BY_LABEL, OPERATOR
from trainingrun_api.progress import ProgressReport
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Phase, Reason, TrainingRunStatus

from .cluster import Cluster
from .errors import ApiError
from .job import build_job, config_of, job_patch, owned_by
from .metrics import Metrics
from .model_names import Claim, ModelNames
from .observed import Attempt, JobState, latest
from .outcome import Verdict
from .references import Resolver
from .refusals import Refusals
from .resources import Manifest, Missing, References, Run, RunKey, parse_time
from .settings import Settings
from .status import Observation, observe
from .story import events

logger = logging.getLogger(__name__)

# What no watch of ours tells: another's Job, and what is refused besides pods.
UNWATCHED = {Reason.JOB_CONFLICT, Reason.JOB_REFUSED}
UNWATCHED_SECONDS = 30.0


class Reconciler:
    """The level-triggered loop body; safe to call at any time, any number of times."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that it brings together
        self,
        cluster: Cluster,
        settings: Settings,
        metrics: Metrics,
        resolver: Resolver,
        refusals: Refusals,
        ca_certificate: Callable[[], str],
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._metrics = metrics
        self._resolver = resolver
        self._refusals = refusals
        self._ca_certificate = ca_certificate
        self._names = ModelNames(cluster, resolver)

    async def reconcile(self, key: RunKey) -> float | None:
        """One step for one run; after how many seconds to come back without being told."""
        with self._metrics.reconcile_duration.time(), self._metrics.reconcile_errors.count_exceptions():
            manifest = await self._cluster.run(key)
            if manifest is None:
                self._metrics.forget(key)
                self._resolver.forget(key)
                return None
            run = Run.parse(manifest)
            if run.deleting:
                return None
            return await self._step(run)

    async def _step(self, run: Run) -> float | None:
        if run.status.phase.finished:
            await self._tidy(run)
            seen = Observation()
        else:
            claim = await self._names.claim(run)
            run, seen = claim.run, await self._ensure(claim)
        now = datetime.now(UTC)
        status = observe(run, run.spec, seen, now)
        await self._write(run, status, now)
        self._metrics.show(run.key, status)
        return _come_back(run, status, now)

    async def _ensure(self, claim: Claim) -> Observation:
        """Have the Job, as the run wants it now, or the reason why not."""
        run = claim.run
        if run.spec is None:
            text = (
                f"This operator can't read the spec: {run.problem}; apply a corrected run under another name"
            )
            return Observation(obstacle=Verdict(Phase.PENDING, Reason.INVALID_SPEC, text, stalled=True))
        job = await self._cluster.job(run.key)
        pods = await self._cluster.pods_of(run.key)
        if job is None:
            return await self._start(claim, run.spec, pods)
        if not owned_by(job, run.uid):
            return Observation(obstacle=_conflict(run))
        self._resolver.forget(run.key)
        return await self._follow(run, run.spec, job, pods)

    async def _start(self, claim: Claim, spec: TrainingRunSpec, pods: list[Manifest]) -> Observation:
        if spec.suspend:
            return Observation()
        run = claim.run
        references = await self._resolver.resolve(run, spec)
        obstacle = _obstacle(references, claim.taken) or _leftover(pods)
        if obstacle is not None:
            return Observation(obstacle=obstacle)
        try:
            job = await self._cluster.create_job(
                build_job(run, spec, references, self._ca_certificate(), self._settings)
            )
        except ApiError as error:
            if not error.refused:
                raise
            text = f"The API server refuses the Job: {error}"
            return Observation(obstacle=Verdict(Phase.PENDING, Reason.JOB_REFUSED, text, stalled=True))
        logger.info("%s/%s: created its Job", *run.key)
        return _seen(job, [])

    async def _follow(
        self, run: Run, spec: TrainingRunSpec, job: Manifest, pods: list[Manifest]
    ) -> Observation:
        changes = job_patch(spec, job, suspend_told=run.status.suspend, final=False)
        if changes and not JobState.parse(job).finished:
            job = await self._cluster.patch_job(run.key, job["metadata"]["uid"], changes)
        return replace(_seen(job, pods), refusal=self._refusals.of(job["metadata"]["uid"]))

    async def _write(self, run: Run, status: TrainingRunStatus, now: datetime) -> None:
        if status == run.status:
            return
        await self._tell(run, status, now)
        await self._cluster.apply_status(run.key, run.uid, status)
        if status.phase is not run.status.phase:
            logger.info("%s/%s: %s: %s", *run.key, status.phase, status.conditions[0].message)

    async def _tell(self, run: Run, status: TrainingRunStatus, now: datetime) -> None:
        """Before the status is written: one killed in between tells it again, under the same names."""
        for event in events(run, status, now):
            try:
                await self._cluster.create_event(event)
            except ApiError as error:
                # A namespace that is being deleted takes none any more.
                logger.info("%s/%s: Event not written: %s", *run.key, error)

    async def _tidy(self, run: Run) -> None:
        """What remains to be done for a finished run."""
        self._resolver.forget(run.key)
        await self._complete_progress(run)
        job = await self._cluster.job(run.key)
        if job is None or run.spec is None or not owned_by(job, run.uid):
            return
        uid = job["metadata"]["uid"]
        if JobState.parse(job).finished:
            if changes := job_patch(run.spec, job, suspend_told=run.status.suspend, final=True):
                await self._cluster.patch_job(run.key, uid, changes)
        elif not await self._about_to_finish(run, job):
            await self._cluster.delete_job(run.key, uid)

    async def _about_to_finish(self, run: Run, job: Manifest) -> bool:
        """Whether the last pod has ended: deleting the Job then would take the pod with its log."""
        last = latest(_seen(job, await self._cluster.pods_of(run.key)).attempts)
        return last is not None and last.ended

    async def _complete_progress(self, run: Run) -> None:
        progress = run.status.progress
        if run.status.phase is not Phase.SUCCEEDED or progress is None or progress.percent == 100:
            return
        done = progress.model_copy(update={"stage": "Done", "percent": 100, "remaining_seconds": 0})
        report = ProgressReport(run=run.identity, progress=done, epochs=run.status.epochs)
        await self._cluster.apply_progress(report)


def _seen(job: Manifest, pods: list[Manifest]) -> Observation:
    own = [Attempt.parse(pod) for pod in pods if owned_by(pod, job["metadata"]["uid"])]
    config = config_of(job)
    return Observation(JobState.parse(job), own, config.output_prefix, config.base_model.described())


def _conflict(run: Run) -> Verdict:
    text = (
        f"Job {run.key.name} exists and isn't this run's: delete it, "
        f"or apply the run under another name (kubectl delete job {run.key.name} -n {run.key.namespace})"
    )
    return Verdict(Phase.PENDING, Reason.JOB_CONFLICT, text, stalled=True)


def _obstacle(references: References, taken: Missing | None) -> Verdict | None:
    if references.failure is not None:
        return Verdict(Phase.FAILED, *references.failure)
    missing = (*references.missing, *([taken] if taken else []))
    if not missing:
        return None
    return Verdict(Phase.PENDING, missing[0].reason, ". ".join(each.message for each in missing))


def _leftover(pods: list[Manifest]) -> Verdict | None:
    """A pod of a deleted Job that still works; two would write the same checkpoints."""
    for pod in pods:
        managed = pod["metadata"]["labels"].get(MANAGED_BY_LABEL) == OPERATOR
        if managed and pod["status"].get("phase") not in {"Succeeded", "Failed"}:
            text = f"The Job was deleted; it is created again when its pod {pod['metadata']['name']} is gone"
            return Verdict(Phase.PENDING, Reason.JOB_DELETED, text)
    return None


def _come_back(run: Run, status: TrainingRunStatus, now: datetime) -> float | None:
    if status.phase is not Phase.PENDING:
        return None
    waits = [UNWATCHED_SECONDS] if status.conditions[0].reason in UNWATCHED else []
    limit = run.spec.pending_deadline_seconds if run.spec else None
    if limit is not None and status.pending_since is not None:
        end = parse_time(status.pending_since) + timedelta(seconds=limit)
        waits.append(max((end - now).total_seconds(), 0.1))
    return min(waits, default=None)
