"""Bring one run closer to its spec, from what the API server holds."""

import logging
from datetime import UTC, datetime

from trainingrun_api.progress import ProgressReport
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Phase, Reason, TrainingRunStatus

from .backend import BACKEND
from .blocked import Blocked
from .cache import Cache
from .cluster import Cluster
from .errors import ApiError, InvalidSpecError, OperatorError
from .group import Group
from .kinds import EVENTS, RUNS
from .metrics import Metrics
from .next_look import next_look
from .reports import Reports
from .resources import Manifest, Run, RunKey
from .run_events import events
from .services import Services
from .start import Start
from .status import Observation, observe
from .workload import Workload

logger = logging.getLogger(__name__)

AT_ONCE = 0.0
# While a pod is on its way, the next state comes within a moment, and then is the only one to write.
PASSING = {Reason.WAITING_FOR_POD, Reason.POD_STARTING}
# To a status write: it was done and the answer got lost, the run is gone, or it has changed.
MAY_BE_OTHERWISE = {0, 404, 409}
BEGINS = Blocked(Reason.WAITING_FOR_POD, f"The {BACKEND.kind.name} is being created")


class Reconciler:
    """The level-triggered loop body; safe to call at any time, any number of times."""

    def __init__(
        self, cluster: Cluster, cache: Cache, metrics: Metrics, start: Start, reports: Reports
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._metrics = metrics
        self._start = start
        self._workloads = start.workloads
        self._reports = reports
        self._services = Services(cluster)

    async def reconcile(self, key: RunKey) -> float | None:
        """One step for one run; after how many seconds to come back without being told."""
        with self._metrics.reconcile_duration.time(), self._metrics.reconcile_errors.count_exceptions():
            run = await self._run(key)
            if run is None:
                self._metrics.forget(key)
                self._start.forget(key)
                self._workloads.forget(key)
                return None
            if run.deleting:
                return None
            # Before it changes: an answer to what is written then may get lost.
            self._metrics.saw(run)
            try:
                return await self._step(run)
            except ApiError as error:
                if not error.namespace_ends:
                    raise
                await self._leave(run)
                return None

    async def _leave(self, run: Run) -> None:
        """It goes with its namespace, in which nothing can be created any more.

        Pods of several nodes stay there until their Job replaces them, which it can't, or is gone.
        """
        workload = self._cache.workloads.get(run.key)
        if workload is not None and workload.owner == run.uid:
            await self._workloads.delete(run, workload)

    async def _run(self, key: RunKey) -> Run | None:
        return self._cache.runs.get(key) or await self._look_up(key)

    async def _look_up(self, key: RunKey) -> Run | None:
        """The run as the API server has it, and from then on the cache too."""
        known = self._cache.runs.identities.get(key)
        manifest = await self._cluster.get(RUNS, key)
        if manifest is not None:
            return self._seen(manifest)
        if known is not None:
            self._cache.runs.lost(key, known.uid)
        return None

    async def _confirm(self, run: Run) -> None:
        """See that the run is still as it was seen. Raises ApiError 409 when it has changed since."""
        if await self._look_up(run.key) != run:
            raise ApiError(409, "it has changed since it was seen")

    async def _step(self, run: Run) -> float | None:
        if run.status.phase.finished:
            await self._tidy(run)
            return await self._conclude(run, Observation())
        if run.spec is None:
            return await self._conclude(run, Observation(blocked=_unreadable(run)))
        workload = await self._workloads.find(run)
        if workload is None:
            return await self._without_workload(run, run.spec)
        seen = await self._follow(run, run.spec, workload)
        # Who sees the end sees all epochs.
        return await self._conclude(await self._settled(run) if workload.finished else run, seen)

    async def _without_workload(self, run: Run, spec: TrainingRunSpec) -> float | None:
        if run.status.job_name is not None and await self._look_up(run.key) != run:
            return AT_ONCE  # as when the run was deleted, and its workload with it
        if spec.stop:
            return await self._conclude(run, Observation())
        return await self._begin(run, spec)

    async def _settled(self, run: Run) -> Run:
        """The run, once the progress that is held of it is written."""
        written = await self._reports.settle(run.uid)
        return run if written is None else self._seen(written)

    async def _begin(self, run: Run, spec: TrainingRunSpec) -> float | None:
        """Create the workload, from what the status then says that the run was started with."""
        plan = await self._start.plan(run, spec)
        if plan.started_with is None:
            return await self._conclude(run, plan)
        if plan.started_with != run.status.started_with:
            now = datetime.now(UTC)
            run = await self._write(run, observe(run, spec, plan.but(BEGINS), now), now)
        if run.status.started_with is None or run.status.phase.finished:
            return AT_ONCE
        if blocked := await self._services.ensure(run, spec):
            return await self._conclude(run, Observation(blocked=blocked))
        try:
            created = await self._workloads.create(run, spec, run.status.started_with)
        except OperatorError as error:
            return await self._conclude(run, Observation(blocked=_refused(spec, error)))
        if created:
            return self._workloads.pod_wait(run)
        return await self._conclude(run, await self._follow(run, spec, await self._workloads.there(run)))

    async def _follow(self, run: Run, spec: TrainingRunSpec, workload: Workload) -> Observation:
        """Have the workload as the run wants it now, and see how it does."""
        started = await self._workloads.origin(run, spec, workload)
        if started is None:
            await self._confirm(run)
            return Observation(blocked=_conflict(run))
        self._start.forget(run.key)
        blocked = None
        if not workload.finished:
            if self._workloads.suspends_or_resumes(run, spec, workload):
                await self._confirm(run)
            workload = await self._workloads.update(run, spec, workload)
            if run.status.phase is Phase.PENDING:  # pods that work don't need one any more
                blocked = await self._services.ensure(run, spec)
        attempts = await self._workloads.attempts(run, workload)
        refusal = self._cache.refusals.of(workload.uid)
        queued = self._cache.queued_job(workload)
        return Observation(workload, attempts, blocked, refusal, queued, started_with=started)

    async def _conclude(self, run: Run, seen: Observation) -> float | None:
        now = datetime.now(UTC)
        status, wait = observe(run, run.spec, seen, now), self._workloads.pod_wait(run)
        if wait and status.conditions[0].reason in PASSING:
            return wait
        after = await self._write(run, status, now)
        if seen.workload is not None:
            self._workloads.forget(run.key)
        self._metrics.show(after)
        if after.status.phase.finished and not run.status.phase.finished:
            return AT_ONCE
        return next_look(after, now)

    async def _write(self, run: Run, status: TrainingRunStatus, now: datetime) -> Run:
        """The run with this status."""
        if status == run.status:
            return run
        if status.restarts > run.status.restarts:
            # An older view of the run beside newer pods looks the same, and an Event can't be taken back.
            await self._confirm(run)
        await self._tell(run, status, now)
        try:
            manifest = await self._cluster.apply_status(run, status)
        except ApiError as error:
            if error.status in MAY_BE_OTHERWISE:
                await self._look_up(run.key)
            raise
        if status.phase is not run.status.phase:
            logger.info("%s/%s: %s: %s", *run.key, status.phase, status.conditions[0].message)
        written = self._seen(manifest)
        self._start.wake_dependents(run.key)
        return written

    async def _tell(self, run: Run, status: TrainingRunStatus, now: datetime) -> None:
        """Before the status is written: one killed in between tells it again, under the same names."""
        for event in events(run, status, now):
            try:
                await self._cluster.create(EVENTS, event)
            except ApiError as error:
                if error.namespace_ends:
                    raise
                if error.status != 409:  # told already
                    logger.info("%s/%s: Event not written: %s", *run.key, error)

    async def _tidy(self, run: Run) -> None:
        """What remains to be done for a finished run."""
        self._start.forget(run.key)
        await self._complete_progress(run)
        workload = self._cache.workloads.get(run.key)
        if workload is None or run.spec is None or not self._workloads.names(run, workload):
            return
        if workload.finished:
            await self._workloads.update(run, run.spec, workload, final=True)
        elif not await self._about_to_finish(run, run.spec, workload):
            await self._workloads.delete(run, workload)

    async def _about_to_finish(self, run: Run, spec: TrainingRunSpec, workload: Workload) -> bool:
        """Whether a pod has ended: deleting the workload then would take the pod with its log."""
        attempts = await self._workloads.attempts(run, workload)
        return any(member.ended for member in Group.of(attempts, spec.resources.nodes).members)

    async def _complete_progress(self, run: Run) -> None:
        progress = run.status.progress
        if run.status.phase is not Phase.SUCCEEDED or progress is None or progress.percent == 100:
            return
        whole = await self._cluster.get(RUNS, run.key)  # with all epochs
        if whole is not None:
            epochs = Run.parse(whole).status.epochs
            report = ProgressReport(run=run.identity, progress=progress.done(), epochs=epochs)
            await self._cluster.apply_progress(report)

    def _seen(self, manifest: Manifest) -> Run:
        """The run as it is now, or as a later watch has shown it already."""
        self._cache.runs.saw(manifest)
        return self._cache.runs.get(RunKey.of(manifest)) or Run.parse(manifest)


def _unreadable(run: Run) -> Blocked:
    text = f"This operator can't read the spec: {run.problem}; apply a corrected run under another name"
    return Blocked(Reason.INVALID_SPEC, text)


def _refused(spec: TrainingRunSpec, error: OperatorError) -> Blocked:
    """Why no workload can be created. Raises the error when it may pass."""
    match error:
        case InvalidSpecError():
            return Blocked(Reason.INVALID_SPEC, f"{error}. Correct it in a new run", permanent=True)
        case ApiError(refused=True):
            hint = ". If that is from spec.podTemplate, correct it in a new run" if spec.pod_template else ""
            return Blocked(
                Reason.JOB_REFUSED, f"The API server rejects the {BACKEND.kind.name}: {error}{hint}"
            )
    raise error


def _conflict(run: Run) -> Blocked:
    name, kind = run.key.name, BACKEND.kind.name
    text = (
        f"{kind} {name} already exists and wasn't created for this run: delete it "
        f"(kubectl delete {kind.lower()} {name} -n {run.key.namespace}), or apply the run under another name"
    )
    return Blocked(Reason.JOB_CONFLICT, text)
