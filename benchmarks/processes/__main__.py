"""What a second process brings, and what it takes to restart a group; written beside this package."""

import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.processes.pod import THREADS, Published, train
from benchmarks.processes.restart import Restart, measure_restart

RESULTS = Path(__file__).parents[1] / "RESULTS-processes.md"

PAIRS = 3

WANTED_GAIN = 1.7

WANTED_DIFFERENCE = 1e-5


def main() -> None:
    """Train with one and with two processes in turn, so that other work on the machine meets both."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = [
            (train(Path(folder) / f"{pair}-1", 1), train(Path(folder) / f"{pair}-2", 2))
            for pair in range(PAIRS)
        ]
        four = train(Path(folder) / "4", 4)
        restart = measure_restart(Path(folder) / "restart")
    RESULTS.write_text("\n".join(_lines(pairs, four, restart)) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _lines(pairs: list[tuple[Published, Published]], four: Published, restart: Restart) -> Iterator[str]:
    yield "# What many processes bring"
    yield ""
    yield f"Written by `make bench-processes`: the default model on the CPU, {THREADS} thread a process,"
    yield f"gloo, {os.cpu_count()} cores, {platform.machine()}. Runs with one and two processes took turns;"
    busy = os.getloadavg()[2]
    yield f"over the last quarter of an hour {busy:.1f} threads were running or waiting for a core."
    yield ""
    yield "| Pair | Texts a second, one process | two processes | Gain |"
    yield "| ---: | ---: | ---: | ---: |"
    gains = [two.speed / one.speed for one, two in pairs]
    for number, ((one, two), gain) in enumerate(zip(pairs, gains, strict=True), 1):
        yield f"| {number} | {one.speed:.1f} | {two.speed:.1f} | {gain:.2f} |"
    yield ""
    yield "## Losses"
    yield ""
    yield "The largest difference of a step's training loss from that of one process, without dropout."
    yield ""
    yield "| Processes | Steps | Difference |"
    yield "| ---: | ---: | ---: |"
    one, two = pairs[0]
    differences = {2: one.difference(two), 4: one.difference(four)}
    for processes, difference in differences.items():
        yield f"| {processes} | {len(one.losses)} | {difference:.1e} |"
    yield ""
    yield "## A restart of the group"
    yield ""
    yield "One of two processes is killed, and the program is started again as soon as it has ended."
    yield ""
    yield "| Part | Seconds |"
    yield "| --- | ---: |"
    for part, seconds in restart.parts().items():
        yield f"| {part} | {seconds:.1f} |"
    yield ""
    yield "| Wanted | Measured | Reached |"
    yield "| --- | ---: | --- |"
    yield _row(
        "losses of 1, 2 and 4 processes equal to 1e-5",
        f"{max(differences.values()):.1e}",
        max(differences.values()) <= WANTED_DIFFERENCE,
    )
    gain = median(gains)
    yield _row(f"2 processes are {WANTED_GAIN} times as fast as 1", f"{gain:.2f}", gain >= WANTED_GAIN)


def _row(wanted: str, measured: str, reached: bool) -> str:
    return f"| {wanted} | {measured} | {'yes' if reached else 'no'} |"


if __name__ == "__main__":
    main()
