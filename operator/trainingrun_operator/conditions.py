"""Conditions: Succeeded is the run's own; Ready, Reconciling and Stalled are for kstatus and GitOps tools."""

from collections.abc import Sequence

from trainingrun_api.status import MAX_MESSAGE, Condition, Phase
from trainingrun_api.visible import visible

from .outcome import RunState


def conditions_of(state: RunState, before: Sequence[Condition], generation: int, now: str) -> list[Condition]:
    """All four; `lastTransitionTime` moves only where the status does."""
    times = {(c.type, c.status): c.last_transition_time for c in before}
    return [
        Condition(
            type=kind,
            status=value,
            reason=state.reason,
            message=shortened(state.message),
            observed_generation=generation,
            last_transition_time=times.get((kind, value), now),
        )
        for kind, value in _values(state).items()
    ]


def shortened(message: str) -> str:
    """On one line, at most as long as a condition's message may be."""
    line = visible(message)
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def _values(state: RunState) -> dict[str, str]:
    succeeded, failed = state.phase is Phase.SUCCEEDED, state.phase is Phase.FAILED
    stalled = failed or state.stalled
    at_rest = succeeded or stalled or state.phase is Phase.SUSPENDED
    return {
        "Succeeded": "True" if succeeded else "False" if failed else "Unknown",
        "Ready": str(succeeded),
        "Reconciling": str(not at_rest),
        "Stalled": str(stalled),
    }
