"""What thousands of runs cost the operator, beside a kopf handler that only creates Jobs."""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import lifecycle, report_rate, soak
from .page import written

FIGURES = Path(__file__).with_name("figures")
RATES = [100, 200, 300, 400, 500]
SHORT_EPOCH, LONG_EPOCH = 1.0, 6.0
"""Seconds. Of the long ones each has a write of its own."""

PARTS: dict[str, Callable[[int], Iterator[Any]]] = {
    "epochs": lambda runs: iter([asdict(lifecycle.measure(runs, LONG_EPOCH))]),
    "runs": lambda runs: iter([asdict(lifecycle.measure(runs, SHORT_EPOCH))]),
    "reports": lambda runs: iter([[asdict(rate) for rate in report_rate.measure(runs, RATES)]]),
    "soak": lambda runs: map(asdict, soak.measure(runs)),
}
"""What is measured of so many runs, as it is known so far."""
SHORT = ("epochs-100", "runs-100", "runs-1000", "reports-500")
"""Others are runs-5000 and soak-10000, which take an hour."""


def main() -> None:
    """Measure the parts that are asked for; the page shows the last figures of all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", default=SHORT, help=f"{', '.join(PARTS)}, each with its runs")
    for part in options.parse_args().parts:
        kind, _, runs = part.partition("-")
        FIGURES.mkdir(exist_ok=True)
        # Of the others only the latest counts.
        file = FIGURES / f"{part if kind == 'runs' else kind}.json"
        for figures in PARTS[kind](int(runs)):
            file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
            print(written(FIGURES), flush=True)


if __name__ == "__main__":
    main()
