"""What a run costs the operator, beside a kopf handler that only creates Jobs."""

import argparse
import asyncio
import platform
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from kubernetes import config
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions

from . import request_cost
from .load import Waits, apply
from .subjects import Subject, floor, operator

RESULTS = Path(__file__).parents[1] / "RESULTS-operator.md"
TRIED = Path(__file__).with_name("tried.md")
NAMESPACE = "team"
ONE_REQUEST = {"POST jobs": 1.0}
"""Of the floor, which doesn't count them."""
COLUMNS = (
    "Runs",
    "What",
    "Processor time a run, ms",
    "Requests a run",
    "Beyond the requests, ms",
    "Apply to Job, median, s",
    "99th percentile, s",
    "Until the last Job, s",
)
MOST_MILLISECONDS = 15.0
MOST_GROWTH = 1.25
"""Of the processor time a run, from the fewest runs to the most."""
MOST_TIMES = 3
"""The floor's wait for a Job, in a neighbourhood that users would call the same."""


@dataclass(frozen=True)
class Cost:
    """What so many runs, applied at once, cost a program."""

    name: str
    runs: int
    milliseconds: float
    """Processor time a run, until nothing was left to do."""
    requests: dict[str, float]
    """Requests to the API server a run, by method and kind of object."""
    request_milliseconds: float
    """Processor time of one request by itself."""
    waits: Waits

    @property
    def beyond(self) -> float:
        """Milliseconds a run that its requests don't explain."""
        return self.milliseconds - sum(self.requests.values()) * self.request_milliseconds

    @property
    def slowest(self) -> float:
        """The 99th percentile of the seconds until a run has its Job."""
        return statistics.quantiles(self.waits.each, n=100)[98]

    @property
    def row(self) -> str:
        """A row of the table."""
        cells = (
            f"{self.runs:,}",
            self.name,
            f"{self.milliseconds:.1f}",
            f"{sum(self.requests.values()):.1f}",
            f"{self.beyond:.1f}",
            f"{statistics.median(self.waits.each):.2f}",
            f"{self.slowest:.2f}",
            f"{self.waits.last:.2f}",
        )
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure all numbers of runs, each on an empty API server."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, nargs="+", default=[100, 300, 1000], help="runs applied at once")
    pairs = [
        (_measure("the operator", operator, count), _measure("the floor", floor, count))
        for count in options.parse_args().runs
    ]
    RESULTS.write_text("\n".join(_lines(pairs)) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _measure(name: str, start: Callable[[Path], AbstractContextManager[Subject]], count: int) -> Cost:
    with ControlPlane(controllers=True) as plane:
        _install(plane.kubeconfig)
        with start(plane.kubeconfig) as subject:
            subject.wait_until_quiet()
            before, counted = subject.seconds(), subject.requests()
            waits = asyncio.run(apply(plane.kubeconfig, NAMESPACE, count))
            subject.wait_until_quiet()
            spent = subject.seconds() - before
            requests = {
                kind: (number - counted.get(kind, 0)) / count for kind, number in subject.requests().items()
            } or ONE_REQUEST
        own = asyncio.run(request_cost.milliseconds(plane.kubeconfig, NAMESPACE))
    return Cost(name, count, 1000 * spent / count, requests, own, waits)


def _install(kubeconfig: Path) -> None:
    with config.new_client_from_config(str(kubeconfig)) as client:
        for definition in custom_resource_definitions().values():
            create_from_dict(client, definition)


def _lines(pairs: list[tuple[Cost, Cost]]) -> Iterator[str]:
    yield "# What a run costs the operator"
    yield ""
    yield "Written by `make bench-operator`: runs applied at once to an empty API server with its controllers"
    yield "and no node, until nothing is left to do, which is when each run says that no node takes its pod."
    yield "The floor is a kopf handler that creates the Job and does nothing else. All processes share"
    yield f"the machine. {platform.machine()}, Python {platform.python_version()}."
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for pair in pairs:
        yield from (cost.row for cost in pair)
    yield ""
    yield f"Requests of a run: {_by_kind(pairs[-1][0].requests)}. One takes"
    yield f"{pairs[-1][0].request_milliseconds:.1f} ms by itself."
    yield ""
    yield from _targets([cost for cost, _ in pairs], *pairs[-1])
    yield ""
    yield TRIED.read_text(encoding="utf-8").rstrip()


def _by_kind(requests: dict[str, float]) -> str:
    return ", ".join(f"{kind} {number:.1f}" for kind, number in requests.items() if number >= 0.05)


def _targets(costs: list[Cost], most: Cost, least: Cost) -> Iterator[str]:
    worst, growth = max(cost.beyond for cost in costs), most.milliseconds / costs[0].milliseconds
    times = most.slowest / least.slowest
    yield "| Wanted | Measured | Reached |"
    yield "| --- | ---: | --- |"
    bound = f"at most {MOST_MILLISECONDS:.0f} ms a run beyond the requests"
    yield f"| {bound} | {worst:.1f} ms | {_reached(worst <= MOST_MILLISECONDS)} |"
    flat = (
        f"flat: with {most.runs:,} runs at most {MOST_GROWTH} times as much a run as with {costs[0].runs:,}"
    )
    yield f"| {flat} | {growth:.2f} | {_reached(growth <= MOST_GROWTH)} |"
    near = f"99th percentile of {most.runs:,} runs at most {MOST_TIMES} times the floor's"
    yield f"| {near} | {times:.1f} | {_reached(times <= MOST_TIMES)} |"


def _reached(reached: bool) -> str:
    return "yes" if reached else "**no**"


if __name__ == "__main__":
    main()
