"""Faults between the operator and the API server, each at one chosen point."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable

from trainingrun_operator.cluster import TIMEOUT_SECONDS

from .fault_proxy import Call, CutError, Fault, PassOn, Reply

WATCHED = ("trainingruns", "trainingprojects", "jobs", "pods", "events")

Matches = Callable[[Call], bool]
LONG_SECONDS = 1.0


def writes_about(name: str) -> Matches:
    """Calls that change something about the run."""
    return lambda call: call.writes and call.about(name)


def reads_about(name: str) -> Matches:
    """Calls that read one object of the run."""
    return lambda call: not call.writes and call.about(name)


def lists(plural: str) -> Matches:
    """Lists of a resource."""
    return lambda call: call.method == "GET" and not call.watches and call.path.endswith(f"/{plural}")


def watches(plural: str) -> Matches:
    """Watches of a resource."""
    return lambda call: call.watches and call.path.endswith(f"/{plural}")


class At(Fault):
    """Something that happens at the `number`-th call of those that match, from 1."""

    def __init__(self, matches: Matches, number: int) -> None:
        self._matches = matches
        self._left = number

    @property
    def fired(self) -> bool:
        return self._left <= 0

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        if not self._matches(call):
            return await pass_on(call)
        self._left -= 1
        return await (self.instead(call, pass_on) if self._left == 0 else pass_on(call))

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        """What happens then."""
        raise NotImplementedError


class KilledBefore(At):
    """The operator ends before the API server gets the call."""

    def __init__(self, matches: Matches, number: int, kill: Callable[[], None]) -> None:
        super().__init__(matches, number)
        self._kill = kill

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        self._kill()
        raise CutError


class KilledAfter(KilledBefore):
    """The API server has done it, and the operator ends before it hears of it."""

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        await pass_on(call)
        self._kill()
        raise CutError


class Rewound(KilledAfter):
    """And when it is back, its first lists are from before its last writes."""

    def __init__(self, matches: Matches, number: int, kill: Callable[[], None]) -> None:
        super().__init__(matches, number, kill)
        self._versions = ["", ""]
        self._older: Counter[str] = Counter()

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        plural = call.path.rpartition("/")[2]
        # One list fills the cache, with another the watch begins. A list of one run's objects is always new.
        whole = plural in WATCHED and lists(plural)(call) and "labelSelector" not in call.query
        early = whole and self._older[call.path] < 2
        if self.fired and self._versions[-2] and early:
            self._older[call.path] += 1
            earlier = {"resourceVersion": self._versions[-2], "resourceVersionMatch": "Exact"}
            return await pass_on(call._replace(query=dict(call.query) | earlier))
        reply = await super().call(call, pass_on)
        if self._matches(call) and not self.fired and reply.status < 300:
            version = json.loads(reply.body)["metadata"].get("resourceVersion")
            self._versions += [version] if version else []
        return reply


class Answered(At):
    """The API server says this, and has done nothing."""

    def __init__(self, matches: Matches, number: int, reply: Reply) -> None:
        super().__init__(matches, number)
        self._reply = reply

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        return self._reply


class CutBefore(At):
    """The connection ends before the API server gets the call."""

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        raise CutError


class CutAfter(At):
    """The API server has done it, and its answer doesn't come."""

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        await pass_on(call)
        raise CutError


class Unanswered(At):
    """The API server has done it, and its answer comes later than anybody waits for."""

    async def instead(self, call: Call, pass_on: PassOn) -> Reply:
        await pass_on(call)
        await asyncio.sleep(2 * TIMEOUT_SECONDS)
        raise CutError


class EventAt(Fault):
    """Something that happens to the `number`-th event about a run, from 1."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name.encode()
        self._left = number

    @property
    def fired(self) -> bool:
        return self._left <= 0

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        if self._name not in line:
            return [line]
        self._left -= 1
        return await self.instead(line) if self._left == 0 else [line]

    async def instead(self, line: bytes) -> list[bytes]:
        """What the watch shows then."""
        raise NotImplementedError


class Dropped(EventAt):
    """It never comes."""

    async def instead(self, line: bytes) -> list[bytes]:
        return []


class Duplicated(EventAt):
    """It comes twice."""

    async def instead(self, line: bytes) -> list[bytes]:
        return [line, line]


class Delayed(EventAt):
    """It comes late, and all after it."""

    async def instead(self, line: bytes) -> list[bytes]:
        await asyncio.sleep(LONG_SECONDS)
        return [line]


class Reordered(EventAt):
    """It comes after the one that follows it."""

    _held: tuple[str, bytes] | None = None

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        if self._held is not None and self._held[0] == call.path:
            (_, held), self._held = self._held, None
            return [line, held]
        shown = await super().event(call, line)
        if not shown:
            self._held = (call.path, line)
        return shown

    async def instead(self, line: bytes) -> list[bytes]:
        return []


class Silent(Fault):
    """Watches show nothing more, as when a firewall has forgotten their connections; new ones do."""

    def __init__(self) -> None:
        self._new: list[Call] = []

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        if call.watches:
            self._new.append(call)
        return await pass_on(call)

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        return [line] if any(call is new for new in self._new) else []


class Undeleted(Fault):
    """The watch of a resource doesn't show that anything is deleted, as in the moment before it began."""

    def __init__(self, plural: str) -> None:
        self._plural = plural

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        deleted = b'"type":"DELETED"' in line and call.path.endswith(f"/{self._plural}")
        return [] if deleted else [line]


class Dead(Fault):
    """Watches of this resource show nothing, new ones neither."""

    def __init__(self, plural: str) -> None:
        self._plural = plural

    async def event(self, call: Call, line: bytes) -> list[bytes]:
        return [] if call.path.endswith(f"/{self._plural}") else [line]


class Noted(Fault):
    """What was asked for about a run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.writes: list[str] = []
        self.jobs = 0
        """Jobs that were created."""

    async def call(self, call: Call, pass_on: PassOn) -> Reply:
        reply = await pass_on(call)
        if call.writes and call.about(self._name):
            self.writes.append(f"{call.method} {call.path} {reply.status}")
            self.jobs += call.method == "POST" and call.path.endswith("/jobs") and reply.status == 201
        return reply
