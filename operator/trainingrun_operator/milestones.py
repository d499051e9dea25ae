"""How many runs have started and ended, and how long that took: each run counts once.

Counted is what happened between two looks at a run, and so never what had happened before this process
first saw the run: after a restart, counts begin at 0, and no run is counted again.
"""

from typing import NamedTuple, Self

from prometheus_client import CollectorRegistry, Counter, Histogram

from trainingrun_api.status import Phase, Reason

from .outcome import EXIT_REASONS
from .resources import Run, RunKey, parse_time

MINUTE, HOUR = 60.0, 3600.0
WAITS = (1.0, 5.0, 15.0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR)
DURATIONS = (
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    24 * HOUR,
    72 * HOUR,
)
FAILURES = (
    *EXIT_REASONS.values(),
    Reason.STOPPED,
    Reason.TRAINER_ERROR,
    Reason.OUT_OF_MEMORY,
    Reason.BACKOFF_LIMIT_EXCEEDED,
    Reason.ACTIVE_DEADLINE_EXCEEDED,
    Reason.PENDING_DEADLINE_EXCEEDED,
    Reason.INVALID_SPEC,
    Reason.BASE_MODEL_FAILED,
    Reason.RESUMED_RUN_NOT_FAILED,
)
"""What runs fail for."""


class Reached(NamedTuple):
    """How far a run has come."""

    uid: str
    started: bool = False
    finished: bool = False

    @classmethod
    def by(cls, run: Run) -> Self:
        """How far this one has."""
        return cls(run.uid, run.status.start_time is not None, run.status.phase.finished)


class Milestones:
    """Counts them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reached: dict[RunKey, Reached] = {}
        self._finished = Counter(
            "trainingrun_finished_total",
            "Runs that ended, by result and reason.",
            ("result", "reason"),
            registry=registry,
        )
        self._durations = Histogram(
            "trainingrun_duration_seconds",
            "Time from the moment that all pods of a run first ran to its end, by result.",
            ("result",),
            buckets=DURATIONS,
            registry=registry,
        )
        self._waits = Histogram(
            "trainingrun_wait_seconds",
            "Time from the creation of a run to the moment that all of its pods first ran.",
            buckets=WAITS,
            registry=registry,
        )
        self._begin_at_zero()

    def saw(self, run: Run) -> None:
        """Count what the run has reached since it was last seen."""
        before, now = self._reached.get(run.key), Reached.by(run)
        self._reached[run.key] = now
        if before is None or before.uid != now.uid:
            return
        if now.started and not before.started:
            self._waits.observe(_seconds(run.created.timestamp(), run.status.start_time))
        if now.finished and not before.finished:
            self._ended(run)

    def forget(self, key: RunKey) -> None:
        """The run is gone."""
        self._reached.pop(key, None)

    def _ended(self, run: Run) -> None:
        result, status = run.status.phase.value, run.status
        self._finished.labels(result, status.conditions[0].reason).inc()
        if status.start_time is not None:
            begun = parse_time(status.start_time).timestamp()
            self._durations.labels(result).observe(_seconds(begun, status.completion_time))

    def _begin_at_zero(self) -> None:
        """Prometheus's increase() doesn't see the first of a series that comes with it."""
        for result, reasons in ((Phase.SUCCEEDED, (Reason.COMPLETED,)), (Phase.FAILED, FAILURES)):
            self._durations.labels(result.value)
            for reason in reasons:
                self._finished.labels(result.value, reason.value)


def _seconds(begun: float, ended: str | None) -> float:
    """Times of Kubernetes have whole seconds, so that an end can seem to be before its beginning."""
    return max(parse_time(ended).timestamp() - begun, 0.0) if ended else 0.0
