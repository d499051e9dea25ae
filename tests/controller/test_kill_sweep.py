"""The operator is killed before and after each single write, and in the end nothing differs."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from kubernetes.client import ApiClient
from promises import Promise, forms

from localcluster import ControlPlane

from .bench import Bench, a_bench
from .faults import KilledAfter, KilledBefore, writes_about
from .lifecycles import LIFECYCLES, Lifecycle, trains
from .process import OperatorProcess, stopped
from .sweep import Kind, sweep, troubles

KILLS = [
    Kind("killed before write", lambda bench, run, n: KilledBefore(writes_about(run), n, bench.kill)),
    Kind("killed after write", lambda bench, run, n: KilledAfter(writes_about(run), n, bench.kill)),
]


class Points(NamedTuple):
    lifecycles: tuple[Lifecycle, ...]
    stride: int
    at_once: int


@pytest.fixture(scope="module")
def bench(
    control_plane: ControlPlane,
    api_client: ApiClient,
    operator: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("killed")
    with stopped(operator), a_bench(control_plane, api_client, "killed", folder) as bench:
        yield bench


@pytest.mark.parametrize(
    "points", forms(Points((trains,), stride=7, at_once=2), Points(LIFECYCLES, stride=1, at_once=3))
)
def test_killed_operator_goes_on_as_if_nothing_had_been(
    bench: Bench, points: Points, promise: Promise
) -> None:
    results = sweep(bench, points.lifecycles, KILLS, stride=points.stride, at_once=points.at_once)
    fired = [result for result in results if result.fired]
    if found := troubles(results):
        pytest.fail(found)
    assert bench.starts >= len(fired) / points.at_once
    promise(
        "Operator",
        f"Killed before or after any single write in {len(points.lifecycles)} lifecycles of runs, the "
        "operator brings them to the same end: no second Job, nothing left over, no status lost",
        f"{len(fired)} of {len(fired)} kills",
    )
