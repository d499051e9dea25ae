"""The status of a run: a value made from what the API server holds, and nothing else."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from trainingrun_api.artifacts import ArtifactPaths, Artifacts
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import StartedWith
from trainingrun_api.status import Phase, Reason, RunFailure, RunResult, TrainingRunStatus

from .backend import BACKEND
from .blocked import Blocked
from .conditions import conditions_of
from .group import Group
from .kueue import QueuedJob
from .observed import Attempt
from .outcome import (
    RunState,
    failure_of,
    of_blocked,
    of_failed,
    of_lost,
    of_waiting,
    of_working,
    success_message,
)
from .pod_template import base_model_of
from .refusals import Refusal
from .resources import Run, format_time, parse_time
from .workload import Workload

GONE = Blocked(Reason.JOB_DELETED, f"The {BACKEND.kind.name} was deleted; it is being recreated")
STOPPED = RunState(
    Phase.FAILED,
    Reason.STOPPED,
    "spec.stop is true; a new run with resumeFrom continues from the last checkpoint",
)
# Pods end there, and no attempt has failed.
AT_REST = {Phase.SUSPENDED, Phase.QUEUED}


@dataclass(frozen=True)
class Observation:
    """What was found of a run; `blocked` is why it has no workload, or one whose pods can't all start.

    Of the names and of what it is started with only what its status may not say yet.
    """

    workload: Workload | None = None
    attempts: list[Attempt] = field(default_factory=list)
    blocked: Blocked | None = None
    refusal: Refusal | None = None
    queued_job: QueuedJob | None = None
    model_name: str | None = None
    started_with: StartedWith | None = None

    def but(self, blocked: Blocked) -> Self:
        """The same, but blocked."""
        return replace(self, blocked=blocked)


def observe(run: Run, spec: TrainingRunSpec | None, seen: Observation, now: datetime) -> TrainingRunStatus:
    """The status that follows from `seen`; a finished run keeps its own."""
    if run.status.phase.finished:
        return _acknowledged(run)
    group = _group(run, seen)
    state = _run_state(run, spec, seen, group)
    since = pending_since(run, state, now)
    if spec is not None and since is not None and deadline_passed(spec, since, now):
        state = _gave_up(spec, state)
    return _status(run, state, seen, group, now)


def _group(run: Run, seen: Observation) -> Group:
    # Pods of before a suspension that are still on their way out are none of those that come next.
    leaving = run.status.pod_name is None
    counting = [attempt for attempt in seen.attempts if not (leaving and attempt.deleting)]
    return Group.of(counting, run.spec.resources.nodes if run.spec else 1)


def pending_since(run: Run, state: RunState, now: datetime) -> str | None:
    """Since when the run waits; None when it doesn't."""
    if state.phase is not Phase.PENDING:
        return None
    return run.status.pending_since or format_time(now)


def deadline_passed(spec: TrainingRunSpec, since: str, now: datetime) -> bool:
    """Whether the run has waited for longer than it may."""
    limit = spec.pending_deadline_seconds
    return limit is not None and now >= parse_time(since) + timedelta(seconds=limit)


def _acknowledged(run: Run) -> TrainingRunStatus:
    generation = {"observed_generation": run.generation}
    conditions = [c.model_copy(update=generation) for c in run.status.conditions]
    return run.status.model_copy(update=generation | {"conditions": conditions})


def _run_state(run: Run, spec: TrainingRunSpec | None, seen: Observation, group: Group) -> RunState:
    if seen.workload is not None and spec is not None and seen.workload.finished:
        return _of_finished(run, seen.workload, group)
    if spec is not None and spec.stop:
        return STOPPED
    if spec is not None and _stands_still(spec, seen):
        return _suspended(spec, seen)
    if seen.workload is None or spec is None:
        return of_blocked(seen.blocked or GONE)
    state = _of_group(run, seen.workload, group, _standing_refusal(seen, group))
    return of_blocked(seen.blocked) if seen.blocked and state.phase is Phase.PENDING else state


def _of_group(run: Run, workload: Workload, group: Group, refusal: Refusal | None) -> RunState:
    lost, failure = group.at_fault, _last_failure(run, group)
    if lost is not None and failure is not None and (refusal is None or lost.final):
        return of_lost(lost, failure)
    first = group.first
    if lost is not None or first is None or group.waiting or not group.complete:
        return of_waiting(workload, group, refusal)
    return of_working(first, group.size, run.status.progress)


def _standing_refusal(seen: Observation, group: Group) -> Refusal | None:
    """Why a pod is missing now, and not why one was before the latest one or before a suspension."""
    refusal, workload, newest = seen.refusal, seen.workload, group.newest
    if refusal is None or workload is None or (newest is not None and refusal.time < newest):
        return None
    since = workload.started_at
    return refusal if since is None or refusal.time >= parse_time(since) else None


def _stands_still(spec: TrainingRunSpec, seen: Observation) -> bool:
    if seen.workload is not None:
        return seen.workload.suspended
    return spec.suspend and not (seen.blocked and seen.blocked.permanent)


def _suspended(spec: TrainingRunSpec, seen: Observation) -> RunState:
    if spec.suspend:
        text = "spec.suspend is true; set it to false to continue from the last checkpoint"
        return RunState(Phase.SUSPENDED, Reason.SUSPENDED, text)
    return RunState(Phase.QUEUED, Reason.QUEUED, _why_queued(spec, seen))


def _why_queued(spec: TrainingRunSpec, seen: Observation) -> str:
    what, queue = seen.workload.title if seen.workload else "", spec.scheduling.queue_name
    if seen.queued_job is not None:
        # Of several Jobs that ask for the same, Kueue only tries the first.
        why = seen.queued_job.message or "not tried yet"
        return f"{what} waits in its queue. Kueue: {why}"
    if queue is not None:
        hint = "if that lasts, Kueue isn't installed, or doesn't manage Jobs in this namespace"
        return f"{what} waits for queue {queue}; {hint}"
    return (
        f"{what} was suspended by a queue or a person, not by this run's spec.suspend. "
        f"The run continues when the {BACKEND.kind.name} is resumed"
    )


def _of_finished(run: Run, workload: Workload, group: Group) -> RunState:
    if not workload.complete:
        return of_failed(workload, _last_failure(run, group))
    result = _result(group.first)
    # The trainer ends with 0 only after it has published, so its scores are in the object store.
    return RunState(Phase.SUCCEEDED, Reason.COMPLETED, _success(run, result))


def _success(run: Run, result: RunResult | None) -> str:
    if result is not None:
        return success_message(result)
    if run.spec is not None and run.spec.trainer is not None:
        return f"The trainer has finished: {run.spec.trainer.image}"
    return "The model is published; its scores are in evaluation.json"


def _gave_up(spec: TrainingRunSpec, state: RunState) -> RunState:
    text = (
        f"Waited longer than spec.pendingDeadlineSeconds ({spec.pending_deadline_seconds}). "
        f"{state.reason}: {state.message}"
    )
    return RunState(Phase.FAILED, Reason.PENDING_DEADLINE_EXCEEDED, text)


def _result(attempt: Attempt | None) -> RunResult | None:
    return attempt.termination.result() if attempt and attempt.termination else None


def _status(run: Run, state: RunState, seen: Observation, group: Group, now: datetime) -> TrainingRunStatus:
    before = run.status
    changes: dict[str, Any] = {
        "phase": state.phase,
        "observed_generation": run.generation,
        "conditions": conditions_of(state, before.conditions, run.generation, format_time(now)),
        "model_name": seen.model_name or before.model_name,
        "job_name": seen.workload.name if seen.workload else before.job_name,
        "job_uid": seen.workload.uid if seen.workload else before.job_uid,
        "suspend": run.spec.suspend if seen.workload and run.spec else before.suspend,
        "pod_name": _pod_name(run, state, group),
        "pending_since": pending_since(run, state, now),
        "start_time": before.start_time or group.began,
        "restarts": _restarts(run, group),
        "last_failure": _last_failure(run, group) if state.phase not in AT_REST else before.last_failure,
    }
    ending = _ending(state, seen, group, now)
    return before.model_copy(update=changes | _beginning(before, seen) | ending)


def _beginning(before: TrainingRunStatus, seen: Observation) -> dict[str, Any]:
    started = seen.started_with
    if started is None or started == before.started_with:
        return {}
    return {"started_with": started, "base_model": base_model_of(started).described()}


def _pod_name(run: Run, state: RunState, group: Group) -> str | None:
    if state.phase in AT_REST:
        return None
    return group.first.name if group.first else run.status.pod_name


def _last_failure(run: Run, group: Group) -> RunFailure | None:
    lost, before = group.at_fault, run.status
    if lost is None or run.spec is None:
        return before.last_failure
    known = before.last_failure is not None and before.conditions[0].reason == Reason.RESTARTING
    if lost.peer_lost and known:
        # The pod at fault is gone, and those that ended for it say nothing new.
        return before.last_failure
    failure = failure_of(lost, run.spec.resources.memory)
    if group.size == 1 or lost.name in failure.message:
        return failure
    return failure.model_copy(update={"message": f"Pod {lost.name}: {failure.message}"})


def _restarts(run: Run, group: Group) -> int:
    """Counted by the change of first pods, and by the failed ones in case changes were missed."""
    before, first = run.status, group.first
    if first is None:
        return before.restarts
    changed = before.pod_name is not None and before.pod_name != first.name
    failed = [one for one in group.earlier if one.index == 0 and one.phase == "Failed" and not one.deleting]
    return max(before.restarts + changed, len(failed))


def _ending(state: RunState, seen: Observation, group: Group, now: datetime) -> dict[str, Any]:
    if not state.phase.finished:
        return {}
    ended = (seen.workload.ended_at if seen.workload else None) or format_time(now)
    if state.phase is Phase.FAILED:
        return {"completion_time": ended}
    result = _result(group.first)
    if result is None:
        return {"completion_time": ended, "artifacts": _usual_artifacts(seen.started_with)}
    return {
        "completion_time": ended,
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "evaluation": result.evaluation,
        "final_fit": result.final_fit,
        "artifacts": result.artifacts,
        "hugging_face": result.hugging_face,
        "advice": result.advice,
        "base_model": _with_lineage(result.base_model, seen.started_with),
    }


def _with_lineage(read: ResolvedBaseModel, started: StartedWith | None) -> ResolvedBaseModel:
    lineage = base_model_of(started).lineage if started else []
    return read.model_copy(update={"lineage": lineage})


def _usual_artifacts(started: StartedWith | None) -> Artifacts | None:
    return ArtifactPaths(started.output_prefix).artifacts() if started else None
