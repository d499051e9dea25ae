"""The pods of a run as one group, since none trains without the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .observed import Attempt, latest


@dataclass(frozen=True)
class Group:
    """Of each node its latest attempt, those before it, and how many nodes there are."""

    size: int
    members: tuple[Attempt, ...]
    """By index; one that has no attempt yet is missing."""
    earlier: tuple[Attempt, ...] = ()

    @classmethod
    def of(cls, attempts: Iterable[Attempt], size: int) -> "Group":
        """The group of a run with this many nodes."""
        by_index = [[one for one in attempts if one.index == index] for index in range(size)]
        members = tuple(found for same in by_index if (found := latest(same)) is not None)
        return cls(size, members, tuple(one for same in by_index for one in same if one not in members))

    @property
    def first(self) -> Attempt | None:
        """That of index 0, which reports, publishes and leaves the result."""
        return next((one for one in self.members if one.index == 0), None)

    @property
    def complete(self) -> bool:
        """Whether each node has one."""
        return len(self.members) == self.size

    @property
    def lost(self) -> list[Attempt]:
        """Those that ended without finishing the run."""
        return [one for one in self.members if one.failed]

    @property
    def waiting(self) -> list[Attempt]:
        """Those whose container doesn't run yet."""
        return [one for one in self.members if not one.ended and one.started is None]

    @property
    def running(self) -> list[Attempt]:
        """Those whose container runs."""
        return [one for one in self.members if not one.ended and one.started is not None]

    @property
    def began(self) -> str | None:
        """When the last of all first ran; None until then."""
        times = [one.started for one in self.members if one.started is not None]
        return max(times) if len(times) == self.size else None

    @property
    def newest(self) -> datetime | None:
        """When the latest of them was created."""
        return max((one.created for one in self.members), default=None)

    @property
    def at_fault(self) -> Attempt | None:
        """The one that the others ended for; None while none is lost.

        It may have been replaced before those that ended for it. Where it isn't known any more, it is one of
        these.
        """
        lost = self.lost
        since = min((one.created for one in lost), default=None)
        if since is None:
            return None
        beside = [one for one in self.earlier if one.failed and one.ended_at and one.ended_at > since]
        causes = [one for one in (*lost, *beside) if not one.peer_lost]
        return min(causes or lost, key=_guilt)


def _guilt(attempt: Attempt) -> tuple[bool, bool, datetime, int]:
    """The least is at fault: what isn't retried, then what ended first."""
    ended = attempt.ended_at
    return not attempt.final, ended is None, ended or attempt.created, attempt.index
