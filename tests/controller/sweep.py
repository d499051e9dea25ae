"""Lifecycles with one fault each, and whether they end as without it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import unified_diff
from itertools import count
from typing import NamedTuple

from kubernetes.client.exceptions import ApiException

from .bench import Bench
from .faults import At, EventAt, Noted
from .lifecycles import Lifecycle
from .portrait import Portrait, portrait

NUMBERS = count(1)
SETTLED_SECONDS = 1.0
QUEUED = '"reason": "Queued"'
"""In an Event of a Job that is suspended though its run isn't."""


class Kind(NamedTuple):
    """Faults of one kind; `make` is told which run, and at which of its points, from 1."""

    name: str
    make: Callable[[Bench, str, int], At | EventAt]
    costs_events: bool = False
    """Whether an Event may be lost by it: one that the API server doesn't take is logged, and no more."""
    shows_earlier: bool = False
    """Whether an Event may be told again, of a state that is shown again."""


class Result(NamedTuple):
    """What came of one fault; `trouble` is empty if nothing did."""

    fired: bool
    trouble: str


@dataclass(frozen=True)
class Undisturbed:
    """How a lifecycle ends without a fault, and how many Jobs it takes."""

    lifecycle: Lifecycle
    end: Portrait
    jobs: int

    @classmethod
    def of(cls, bench: Bench, lifecycle: Lifecycle) -> "Undisturbed":
        """Go through it once."""
        name = _name(lifecycle)
        with bench.proxy.planted(noted := Noted(name)):
            lifecycle(bench.api, bench.kubelet, name)
            return cls(lifecycle, _settled(bench, name), noted.jobs)

    def with_fault(self, bench: Bench, kind: Kind, number: int) -> Result:
        """Go through it with this fault."""
        name = _name(self.lifecycle)
        fault, noted = kind.make(bench, name, number), Noted(name)
        with bench.proxy.planted(noted, fault):
            trouble = self._trouble(bench, name, kind, noted)
        _delete(bench, name)
        return Result(fault.fired, trouble and f"{self.lifecycle.__name__}, {kind.name} {number}: {trouble}")

    def _trouble(self, bench: Bench, name: str, kind: Kind, noted: Noted) -> str:
        def ended() -> bool:
            found = portrait(bench.api, name)
            return found | {"Event": self._events(found["Event"], kind)} == self.end

        try:
            self.lifecycle(bench.api, bench.kubelet, name)
            bench.api.until(ended, "the same end")
        except AssertionError as error:
            said = str(error).partition("\n")[0]
            return f"{said}\n{_difference(self.end, portrait(bench.api, name))}"
        return "" if noted.jobs == self.jobs else f"{noted.jobs} Jobs were created"

    def _events(self, found: list[str], kind: Kind) -> list[str]:
        """Those that were found, with those lost and without those told again, where a fault excuses it."""
        wanted, told = Counter(self.end["Event"]), Counter(found)
        if kind.costs_events:
            told |= wanted
        if kind.shows_earlier:
            again = {event for event in told if event in wanted or QUEUED in event}
            told -= Counter({event: max(told[event] - wanted[event], 0) for event in again})
        return sorted(told.elements())


def sweep(
    bench: Bench, lifecycles: Iterable[Lifecycle], kinds: Sequence[Kind], *, stride: int, at_once: int
) -> list[Result]:
    """All points of the lifecycles with each kind of fault, or each `stride`-th; some at a time."""
    ways = [Undisturbed.of(bench, lifecycle) for lifecycle in lifecycles]
    lines = [(way, kind, 1 + place * stride // 2) for way in ways for place, kind in enumerate(kinds)]
    with ThreadPoolExecutor(at_once) as pool:
        results = pool.map(lambda line: _along(bench, *line, stride), lines)
        return [result for line in results for result in line]


def _settled(bench: Bench, name: str) -> Portrait:
    """As it stays: the Job controller has something to do yet after a run's end."""
    found: list[Portrait] = [{}]

    def stays() -> bool:
        time.sleep(SETTLED_SECONDS)
        found.append(portrait(bench.api, name))
        return found[-1] == found[-2]

    bench.api.until(stays, "nothing to change any more")
    return found[-1]


def _along(bench: Bench, way: Undisturbed, kind: Kind, first: int, stride: int) -> list[Result]:
    """One point after the other, until there are no more."""
    results = []
    for number in count(first, stride):
        results.append(way.with_fault(bench, kind, number))
        if not results[-1].fired:
            return results
    raise AssertionError("a lifecycle ends")


def _name(lifecycle: Lifecycle) -> str:
    return f"{lifecycle.__name__.replace('_', '-')}-{next(NUMBERS):04d}"


def _delete(bench: Bench, name: str) -> None:
    """What is over makes lists longer."""
    for kind, one in (
        ("TrainingRun", name),
        ("TrainingRun", f"{name}-child"),
        ("TrainingProject", f"{name}-project"),
    ):
        try:
            bench.api.delete(kind, one)
        except ApiException as error:
            if error.status != 404:
                raise


def troubles(results: Iterable[Result]) -> str:
    """All of them, to be shown; empty if there are none."""
    return "\n\n".join(result.trouble for result in results if result.trouble)


def _difference(wanted: Portrait, found: Portrait) -> str:
    lines = [[f"{kind} {line}" for kind in sorted(one) for line in one[kind]] for one in (wanted, found)]
    return "\n".join(unified_diff(*lines, "undisturbed", "found", lineterm="", n=0))
