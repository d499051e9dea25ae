"""The Events that tell a run's story in `kubectl describe`: values made from two statuses."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from trainingrun_api.names import OPERATOR
from trainingrun_api.status import Phase, Reason, TrainingRunStatus

from .resources import Manifest, Run

MAX_NOTE = 1024
QUIET = {
    Reason.COMPLETED,
    Reason.EVALUATING,
    Reason.POD_STARTING,
    Reason.SUSPENDED,
    Reason.TRAINING,
    Reason.WAITING_FOR_POD,
    Reason.BASE_MODEL_NOT_READY,
}


class Chapter(NamedTuple):
    """One thing that happened."""

    kind: str
    reason: str
    note: str


def events(run: Run, after: TrainingRunStatus, now: datetime) -> list[Manifest]:
    """The Events of the step from the run's status to `after`.

    The same step gives the same names, so that an operator that was stopped in between doesn't tell it twice.
    """
    told = chapters(run.status, after)
    # A moment between them keeps their order.
    times = (now + timedelta(microseconds=number) for number in range(len(told)))
    return [_event(run, after, chapter, time) for chapter, time in zip(told, times, strict=True)]


def chapters(before: TrainingRunStatus, after: TrainingRunStatus) -> list[Chapter]:
    """What happened between two statuses."""
    told = []
    if after.job_name is not None and before.job_name is None:
        told.append(Chapter("Normal", "JobCreated", f"Created Job {after.job_name}"))
    if after.restarts > before.restarts:
        note = f"Pod {after.pod_name} replaces {before.pod_name}, restart {after.restarts}"
        told.append(Chapter("Normal", "Restarted", note))
    if _state(before) != _state(after):
        condition = after.conditions[0]
        kind = "Normal" if condition.reason in QUIET else "Warning"
        told.append(Chapter(kind, condition.reason, condition.message))
    return told


def _state(status: TrainingRunStatus) -> tuple[Phase, str]:
    return status.phase, status.conditions[0].reason if status.conditions else ""


def _event(run: Run, after: TrainingRunStatus, chapter: Chapter, now: datetime) -> Manifest:
    step = (run.uid, run.generation, after.restarts, *_state(run.status), *_state(after), chapter.reason)
    digest = hashlib.sha256(repr(tuple(map(str, step))).encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{run.key.name}.{digest}", "namespace": run.key.namespace},
        "eventTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": chapter.kind,
        "reason": chapter.reason,
        "note": chapter.note[:MAX_NOTE],
        "action": "Reconcile",
        "regarding": run.reference,
        "reportingController": OPERATOR,
        "reportingInstance": OPERATOR,
    }
