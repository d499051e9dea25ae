"""When a run is looked at again without being told of."""

from datetime import datetime

from trainingrun_api.status import Phase, Reason

from .resources import Run, parse_time

# What no watch of ours tells: another's objects, and what is refused besides pods.
UNWATCHED = {
    Reason.JOB_CONFLICT,
    Reason.JOB_REFUSED,
    Reason.SERVICE_CONFLICT,
    Reason.SERVICE_REFUSED,
}
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 300.0


def next_look(run: Run, now: datetime) -> float | None:
    """After how many seconds; None when watches tell all that can change."""
    since = run.status.pending_since
    if run.status.phase is not Phase.PENDING or since is None:
        return None
    waited = (now - parse_time(since)).total_seconds()
    pauses = []
    if run.status.conditions[0].reason in UNWATCHED:
        # As long as it has waited already: each pause is twice the one before.
        pauses.append(min(max(waited, FIRST_PAUSE), LONGEST_PAUSE))
    limit = run.spec.pending_deadline_seconds if run.spec else None
    if limit is not None:
        pauses.append(max(limit - waited, 0.1))
    return min(pauses, default=None)
