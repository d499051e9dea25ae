"""Why a run has no workload that trains it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from trainingrun_api.status import Reason

Value = TypeVar("Value")


@dataclass(frozen=True)
class Blocked:
    """What a run waits for; `permanent` when that never comes, and the run fails."""

    reason: Reason
    message: str
    permanent: bool = False


def together(*found: object) -> Blocked:
    """All that is blocked among these as one: a permanent one stands for itself, others wait for all.

    Raises ValueError when none is.
    """
    blocked = [one for one in found if isinstance(one, Blocked)]
    if not blocked:
        raise ValueError("nothing is blocked")
    permanent = next((one for one in blocked if one.permanent), None)
    return permanent or Blocked(blocked[0].reason, ". ".join(one.message for one in blocked))


def every(found: Iterable[Value | Blocked]) -> list[Value] | Blocked:
    """All values, or why some are not there."""
    tried = list(found)
    values = [one for one in tried if not isinstance(one, Blocked)]
    return values if len(values) == len(tried) else together(*tried)
