"""RESULTS-operator.md: what the figures say, beside what is wanted."""

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PAGE = Path(__file__).parents[1] / "RESULTS-operator.md"
TRIED = Path(__file__).with_name("tried.md")
MOST_GROWTH = 1.25
NO_WRITES = {"POST tokenreviews", "PUT leases"}
Figures = dict[str, Any]
"""Of a part, as it was measured."""

INTRODUCTION = """\
# What runs cost the operator

Written by `make bench-operator`. Runs are applied by 32 clients to an empty API server with its real
controllers and scheduler. Once all have their Jobs, [kwok](https://kwok.sigs.k8s.io) lets their pods run on
simulated nodes: each reports 10 epochs to the operator's endpoint with its own token over TLS, 200 at once,
and ends with the message of a trainer. The floor is a kopf handler that creates the Job and does nothing
else. All processes share two cores, at times with other work, so that a quiet machine is faster.
"""


class Wanted(NamedTuple):
    """A line of what is wanted."""

    what: str
    measured: str
    reached: bool

    @property
    def cells(self) -> tuple[str, str, str]:
        """Of a row of the table."""
        return self.what, self.measured, "yes" if self.reached else "**no**"


def written(folder: Path) -> str:
    """The page, as it is written now from the figures in this folder."""
    figures = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    PAGE.write_text("\n".join(_lines(figures)) + "\n", encoding="utf-8")
    return PAGE.read_text(encoding="utf-8")


def _lines(figures: Figures) -> Iterator[str]:
    yield INTRODUCTION
    yield f"{platform.machine()}, Python {platform.python_version()}."
    yield from _table(("Wanted", "Measured", "Reached"), (line.cells for line in _wanted(figures)))
    yield from _of_costs(_costs(figures))
    for part, section in SECTIONS.items():
        if part in figures:
            yield from section(figures[part])
    yield ""
    yield TRIED.read_text(encoding="utf-8").rstrip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first column holds words, the others numbers."""
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _costs(figures: Figures) -> list[Figures]:
    return sorted((one for name, one in figures.items() if name.startswith("runs-")), key=_runs)


def _runs(cost: Figures) -> int:
    return int(cost["runs"])


def _wanted(figures: Figures) -> Iterator[Wanted]:
    for part, lines in WANTED:
        if part in figures:
            yield from lines(figures[part])
    costs = _costs(figures)
    if len(costs) > 1:
        yield _of_growth(costs[0], costs[-1])


def _of_waits(thousand: Figures) -> Iterator[Wanted]:
    waits, floor = thousand["waits"], thousand["floor_waits"]
    share = floor["last"] / waits["last"]
    what = (
        "apply to Job, 1,000 runs: median 0.8 s and 99th percentile 2.5 s, or 0.6 of the floor's throughput"
    )
    reached = share >= 0.6 or (waits["median"] <= 0.8 and waits["slowest"] <= 2.5)
    yield Wanted(what, f"{waits['median']:.1f} s, {waits['slowest']:.1f} s; {share:.2f}", reached)


def _of_writes(epochs: Figures) -> Iterator[Wanted]:
    writes, bound = _objects_written(epochs["to_success"]["requests"]), 6 + 10
    yield Wanted("writes of a run with 10 epochs at most 6 + 10", f"{writes:.1f}", writes <= bound + 0.05)


def _memory_within(bound: float) -> Callable[[Figures], Iterator[Wanted]]:
    def line(cost: Figures) -> Iterator[Wanted]:
        what = f"memory at {cost['runs']:,} finished runs at most {bound:.0f} MiB"
        yield Wanted(what, f"{cost['mebibytes']:.0f} MiB", cost["mebibytes"] <= bound)

    return line


def _of_idling(cost: Figures) -> Iterator[Wanted]:
    what = f"idle with {cost['runs']:,} finished runs: under 2 % of a core"
    yield Wanted(what, f"{cost['idle_share']:.1%}", cost["idle_share"] < 0.02)


def _objects_written(requests: dict[str, float]) -> float:
    """A review of a token writes nothing, and the leader renews its own Lease."""
    return sum(number for kind, number in requests.items() if kind not in NO_WRITES and "GET " not in kind)


def _of_rates(rates: list[Figures]) -> Iterator[Wanted]:
    enough = [one for one in rates if one["slowest"] < 0.1 and one["taken"] >= 0.95 * one["offered"]]
    most = max((one["offered"] for one in enough), default=0)
    what = "500 progress reports a second, the 99th percentile under 100 ms"
    yield Wanted(what, f"{most} a second", most >= 500)
    writes = max(one["writes"] for one in rates)
    # At the ends of the measured time, some write for what lies beyond.
    yield Wanted("at most one write of a run in 5 s", f"{writes:.2f}", writes <= 1.2)


def _of_growth(few: Figures, many: Figures) -> Wanted:
    growth = many["to_success"]["milliseconds"] / few["to_success"]["milliseconds"]
    what = f"flat: {many['runs']:,} runs at most {MOST_GROWTH} times as much each as {few['runs']:,}"
    return Wanted(what, f"{growth:.2f}", growth <= MOST_GROWTH)


def _of_leaks(soak: Figures) -> Iterator[Wanted]:
    after_thousand, last = soak["mebibytes"][:2][-1], soak["mebibytes"][-1]
    growth = last / after_thousand - 1
    what = f"{soak['runs']:,} runs that come and go: memory grows by at most 5 % after the first 1,000"
    yield Wanted(what, f"{growth:.1%}", growth <= 0.05)
    yield Wanted("no series of a deleted run is left", f"{soak['series']}", soak["series"] == 0)


def _of_costs(costs: list[Figures]) -> Iterator[str]:
    yield "## Runs applied at once"
    yield ""
    yield "Seconds from apply to Job: the median, the 99th percentile, and until the last one."
    head = ("Runs", "Median", "99 %", "Last", "Floor's median", "99 %", "Last")
    yield from _table(head, ([f"{cost['runs']:,}", *_times(cost)] for cost in costs))
    yield "Milliseconds of processor time a run; milliseconds until a report is answered; reports that were"
    yield "sent again; MiB of memory and share of a core once all runs have finished."
    head = ("Runs", "To Job", "Floor's", "To success", "Reports", "99 %", "Again", "Memory", "Idle")
    yield from _table(head, (_cells(cost) for cost in costs))
    if len(costs) > 1:
        yield _fit(costs)
        yield ""


def _times(cost: Figures) -> Iterator[str]:
    for waits in (cost["waits"], cost["floor_waits"]):
        yield from (f"{waits[name]:.2f}" for name in ("median", "slowest", "last"))


def _cells(cost: Figures) -> tuple[str, ...]:
    return (
        f"{cost['runs']:,}",
        f"{cost['to_job']['milliseconds']:.1f}",
        f"{cost['floor_milliseconds']:.1f}",
        f"{cost['to_success']['milliseconds']:.1f}",
        f"{1000 * cost['report_median']:.0f}",
        f"{1000 * cost['report_slowest']:.0f}",
        f"{cost['reports_refused']:,}",
        f"{cost['mebibytes']:.0f}",
        f"{cost['idle_share']:.1%}",
    )


def _fit(costs: list[Figures]) -> str:
    """A power of the number of runs, and memory as a line."""
    runs = np.array([cost["runs"] for cost in costs], dtype=float)
    milliseconds = np.array([cost["to_success"]["milliseconds"] for cost in costs])
    memory = np.array([cost["mebibytes"] for cost in costs])
    power, _ = np.polyfit(np.log(runs), np.log(milliseconds), 1)
    slope, base = np.polyfit(runs, memory, 1)
    return (
        f"Processor time a run grows with the power {power:.2f} of the number of runs; 0 is flat. "
        f"Memory: {base:.0f} MiB, and {1024 * slope:.0f} KiB a run, most of it since it was under way."
    )


def _of_requests(epochs: Figures) -> Iterator[str]:
    to_job, to_success = epochs["to_job"]["requests"], epochs["to_success"]["requests"]
    yield "## Requests of a run"
    yield ""
    seconds = f"{epochs['epoch_seconds']:.0f}"
    yield f"Of {epochs['runs']} runs with 10 epochs of {seconds} s each. Watches come on top,"
    yield "and lists of names and versions once a minute."
    rows = [(kind, to_job.get(kind, 0), number) for kind, number in to_success.items() if number >= 0.05]
    rows.append(("All", sum(to_job.values()), sum(to_success.values())))
    head = ("Request", "Until its pod has a node", "Until it has succeeded")
    yield from _table(head, ((kind, f"{some:.1f}", f"{every:.1f}") for kind, some, every in rows))
    yield f"One takes {epochs['request_milliseconds']:.1f} ms of processor time by itself. KiB of JSON"
    sizes = ", ".join(f"{plural} {size:.1f}" for plural, size in epochs["kibibytes"].items())
    yield f"that each object has at the end: {sizes}."
    yield ""


def _of_reports(rates: list[Figures]) -> Iterator[str]:
    yield "## Progress reports"
    yield ""
    runs = rates[0]["runs"]
    yield f"Of {runs} runs in turn, 30 seconds at each rate, with a TLS connection for each report."
    head = (
        "Offered a second",
        "Taken",
        "Median, ms",
        "99 %, ms",
        "Share of a core",
        "Writes of a run in 5 s",
    )
    rows = (
        (
            f"{one['offered']}",
            f"{one['taken']:.0f}",
            f"{1000 * one['median']:.0f}",
            f"{1000 * one['slowest']:.0f}",
            f"{one['core_share']:.0%}",
            f"{one['writes']:.2f}",
        )
        for one in rates
    )
    yield from _table(head, rows)


def _of_soak(soak: Figures) -> Iterator[str]:
    yield "## Runs that come and go"
    yield ""
    yield f"{soak['runs']:,} runs, 500 at a time, each deleted once all have succeeded. MiB after each 500:"
    yield f"{', '.join(f'{mebibytes:.0f}' for mebibytes in soak['mebibytes'])}."
    yield ""


WANTED: tuple[tuple[str, Callable[[Any], Iterator[Wanted]]], ...] = (
    ("runs-1000", _of_waits),
    ("epochs", _of_writes),
    ("runs-1000", _memory_within(200)),
    ("runs-5000", _memory_within(500)),
    ("runs-5000", _of_idling),
    ("reports", _of_rates),
    ("soak", _of_leaks),
)
SECTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    "epochs": _of_requests,
    "reports": _of_reports,
    "soak": _of_soak,
}
