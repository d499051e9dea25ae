"""The Events of a run that `kubectl describe` shows: values made from two statuses."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from trainingrun_api.advice import Severity
from trainingrun_api.names import OPERATOR
from trainingrun_api.status import Phase, Reason, TrainingRunStatus
from trainingrun_api.visible import visible

from .resources import Manifest, Run, format_time

MAX_NOTE = 1024
# They pass by themselves, and the status says so until then: each Event is a write.
UNTOLD = {Reason.WAITING_FOR_POD, Reason.POD_STARTING, Reason.EVALUATING}
PLACES = {
    Phase.PENDING: 1,
    Phase.QUEUED: 1,
    Phase.RUNNING: 2,
    Phase.EVALUATING: 3,
    Phase.SUSPENDED: 3,
    Phase.SUCCEEDED: 4,
    Phase.FAILED: 4,
}
AFTER_THE_END = 5
QUIET = {
    Reason.COMPLETED,
    Reason.QUEUED,
    Reason.SUSPENDED,
    Reason.TRAINING,
    Reason.BASE_MODEL_NOT_READY,
}


class RunEvent(NamedTuple):
    """One thing that happened."""

    order: tuple[int, int]
    """How many restarts came before it, and its place after the last of them."""
    kind: str
    reason: str
    note: str
    occasion: tuple[object, ...]
    """Makes it another one than those of the same reason before and after it."""


def events(run: Run, after: TrainingRunStatus, now: datetime) -> list[Manifest]:
    """The Events of the step from the run's status to `after`.

    What is the same has the same name, so that an operator that was killed in between doesn't tell it twice.
    """
    told = events_between(run.status, after)
    return [_event(run, event, now) for event in told]


def events_between(before: TrainingRunStatus, after: TrainingRunStatus) -> list[RunEvent]:
    """What happened between two statuses."""
    told, restarts = [], after.restarts
    if restarts > before.restarts:
        note = f"Pod {after.pod_name} replaces {before.pod_name} (restart {restarts})"
        told.append(RunEvent((restarts, 0), "Normal", "Restarted", note, (restarts,)))
    if _state(before) != _state(after) and after.conditions[0].reason not in UNTOLD:
        condition = after.conditions[0]
        kind = "Normal" if condition.reason in QUIET else "Warning"
        place = 4 if condition.reason == Reason.RESTARTING else PLACES[after.phase]
        # Once, whichever state before it was the last that this operator knew of; the end whatever pod.
        way = () if after.phase.finished else (after.observed_generation, restarts, after.pod_name)
        occasion = (*way, *_state(after))
        told.append(RunEvent((restarts, place), kind, condition.reason, condition.message, occasion))
    pushed = after.hugging_face
    if pushed is not None and pushed.revision is None and before.hugging_face is None:
        told.append(RunEvent((restarts, AFTER_THE_END), "Warning", "PushFailed", pushed.in_words(), ()))
    if after.advice and not before.advice:
        warnings = [finding for finding in after.advice if finding.severity is Severity.WARNING]
        for place, finding in enumerate(warnings, start=AFTER_THE_END + 1):
            note = f"{finding.message}. {finding.suggestion}"
            told.append(RunEvent((restarts, place), "Warning", finding.type, note, ()))
    return told


def _state(status: TrainingRunStatus) -> tuple[Phase, str]:
    return status.phase, status.conditions[0].reason if status.conditions else ""


def _event(run: Run, event: RunEvent, now: datetime) -> Manifest:
    """An Event of the core group: `kubectl describe` orders by a time that the newer group doesn't have.

    It has whole seconds, and names order what happened within one.
    """
    same = (run.uid, event.reason, *event.occasion)
    digest = hashlib.sha256(repr(tuple(map(str, same))).encode()).hexdigest()[:16]
    restarts, place = event.order
    name = f"{run.key.name}.{restarts:03d}-{place:02d}-{digest}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": run.key.namespace},
        "firstTimestamp": format_time(now),
        "lastTimestamp": format_time(now),
        "count": 1,
        "type": event.kind,
        "reason": event.reason,
        "message": visible(event.note)[:MAX_NOTE],
        "involvedObject": run.reference,
        "source": {"component": OPERATOR},
        "reportingComponent": OPERATOR,
    }
