"""One thing goes wrong at one point of a run's lifecycle; in the end nothing differs."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import pytest
from promises import Promise, forms

from .bench import Bench
from .fault_proxy import Reply, refusal
from .faults import (
    WATCHED,
    Answered,
    At,
    CutAfter,
    CutBefore,
    Delayed,
    Dropped,
    Duplicated,
    KilledAfter,
    KilledBefore,
    Matches,
    Reordered,
    Rewound,
    Unanswered,
    lists,
    reads_about,
    watches,
    writes_about,
)
from .lifecycles import LIFECYCLES, Lifecycle, takes_two_nodes, trains
from .sweep import Kind, Undisturbed, sweep, troubles

REFUSALS = {
    409: refusal(409, "Conflict"),
    410: refusal(410, "Expired"),
    429: refusal(429, "TooManyRequests"),
    500: refusal(500, "InternalError"),
}


class Points(NamedTuple):
    lifecycles: tuple[Lifecycle, ...]
    stride: int
    at_once: int = 6
    kinds: slice = slice(None)


SHORT = Points((takes_two_nodes,), stride=40)
WHOLE = Points(LIFECYCLES, stride=2, at_once=10)


KILLS = [
    Kind("killed before write", lambda bench, run, n: KilledBefore(writes_about(run), n, bench.kill)),
    Kind("killed after write", lambda bench, run, n: KilledAfter(writes_about(run), n, bench.kill)),
]


def answers() -> list[Kind]:
    """Each of the refusals, and the connection's end, at writes and at reads of one object."""
    kinds = []
    for verb, about in (("write", writes_about), ("read", reads_about)):
        for status, reply in REFUSALS.items():
            kinds.append(Kind(f"{status} at {verb}", _answered(about, reply), costs_events=True))
        kinds.append(Kind(f"cut before {verb}", lambda _, run, n, a=about: CutBefore(a(run), n), True))
        kinds.append(Kind(f"cut after {verb}", lambda _, run, n, a=about: CutAfter(a(run), n), True))
    return kinds


def _answered(about: Callable[[str], Matches], reply: Reply) -> Callable[[Bench, str, int], At]:
    return lambda _, run, number: Answered(about(run), number, reply)


EVENTS = [
    Kind(f"event {what.__name__.lower()}", lambda _, run, n, what=what: what(run, n))
    for what in (Dropped, Duplicated, Delayed, Reordered)
]
TIMEOUTS = [
    Kind("no answer to write", lambda _, run, n: Unanswered(writes_about(run), n), costs_events=True),
    Kind("no answer to read", lambda _, run, n: Unanswered(reads_about(run), n)),
]


@pytest.mark.parametrize(
    "points", forms(Points((trains,), stride=7, at_once=2), Points(LIFECYCLES, stride=1, at_once=3))
)
def test_killed_operator_goes_on_as_if_nothing_had_been(
    bench: Bench, points: Points, promise: Promise
) -> None:
    starts = bench.starts
    fired = carried_out(bench, points, KILLS)
    assert bench.starts - starts >= fired / points.at_once
    promise(
        "Operator",
        f"Killed before or after any single write in {len(points.lifecycles)} lifecycles of runs, the "
        "operator brings them to the same end: no second Job, nothing left over, no status lost",
        f"{fired} of {fired} kills",
    )


@pytest.mark.parametrize("points", forms(SHORT, WHOLE))
def test_requests_that_fail_are_made_again(bench: Bench, points: Points, promise: Promise) -> None:
    fired = carried_out(bench, points, answers())
    statuses = ", ".join(map(str, REFUSALS))
    promise(
        "Operator",
        f"Any single request answered with {statuses} or cut off, before or after it was done: the same end",
        f"{fired} of {fired} faults",
    )


# Without the lost ones, which an audit finds within a minute only.
@pytest.mark.parametrize("points", forms(SHORT._replace(kinds=slice(1, None)), WHOLE._replace(stride=1)))
def test_events_may_be_lost_doubled_late_or_out_of_order(
    bench: Bench, points: Points, promise: Promise
) -> None:
    fired = carried_out(bench, points, EVENTS[points.kinds])
    promise(
        "Operator",
        "Any single event of a watch dropped, doubled, delayed or out of order: the same end",
        f"{fired} of {fired} faults",
    )


@pytest.mark.faults
def test_requests_without_an_answer_are_made_again(bench: Bench, promise: Promise) -> None:
    fired = carried_out(bench, Points((trains, takes_two_nodes), stride=3, at_once=16), TIMEOUTS)
    promise("Operator", "Any single request without an answer: the same end", f"{fired} of {fired} faults")


def carried_out(bench: Bench, points: Points, kinds: list[Kind]) -> int:
    """How many faults there were; fails unless each run came to its end."""
    results = sweep(bench, points.lifecycles, kinds, stride=points.stride, at_once=points.at_once)
    if found := troubles(results):
        pytest.fail(found)
    return sum(result.fired for result in results)


@pytest.mark.faults
def test_lists_and_watches_that_fail_at_the_start_are_made_again(bench: Bench, promise: Promise) -> None:
    way = Undisturbed.of(bench, trains)
    replies = [*REFUSALS.values(), None]
    results = []
    for verb, plural, reply in product((lists, watches), WATCHED, replies):
        matches = verb(plural)
        fault = Answered(matches, 1, reply) if reply else CutBefore(matches, 1)
        name = f"{verb.__name__} {plural} {reply.status if reply else 'cut'}, after a kill before write"
        with bench.proxy.planted(fault):
            results.append(way.with_fault(bench, Kind(name, _killed), 4))
        assert fault.fired, name
    if found := troubles(results):
        pytest.fail(found)
    promise(
        "Operator",
        "A list or watch of any resource that fails when the operator starts: the same end",
        f"{len(results)} of {len(results)} faults",
    )


def _killed(bench: Bench, run: str, number: int) -> At:
    return KilledAfter(writes_about(run), number, bench.kill)


def _rewound(bench: Bench, run: str, number: int) -> At:
    return Rewound(writes_about(run), number, bench.kill)


@pytest.mark.parametrize("points", forms(Points((trains,), stride=2), WHOLE))
def test_restarted_operator_may_be_shown_an_older_state(
    bench: Bench, points: Points, promise: Promise
) -> None:
    rewound = Kind("rewound at write", _rewound, shows_earlier=True)
    fired = carried_out(bench, points._replace(at_once=3), [rewound])
    promise(
        "Operator",
        "Restarted, and shown lists of before its last writes: the same end; an Event may be told again",
        f"{fired} of {fired} kills",
    )
