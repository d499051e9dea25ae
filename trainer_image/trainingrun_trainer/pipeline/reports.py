"""report.html in the object store: replaced while training goes on, written for good at its end."""

import logging
import time
from collections.abc import Callable

from ..errors import StorageRefusedError, StorageUnavailableError
from ..report import Report, render
from .session import Run

log = logging.getLogger(__name__)

SHARE = 0.1
"""Most of the time of training that reports during it may take."""

EXPECTED_SECONDS = 2.0
"""What the first report is taken to cost: a run of less than ten times this has one at its end only."""


class LiveReport:
    """The report of the latest epoch, as often as it costs little."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._written = time.monotonic()
        self._cost = EXPECTED_SECONDS

    def due(self, now: float) -> bool:
        """Whether training has gone on long enough since the last one; `now` is a monotonic time."""
        return self._cost <= SHARE * (now - self._written)

    def update(self, make: Callable[[], Report]) -> None:
        """Write what `make` gives, if it is time to; never stops training."""
        started = time.monotonic()
        if not self.due(started):
            return
        try:
            write_report(self._run, make())
        except (StorageRefusedError, StorageUnavailableError) as error:
            log.warning("The report so far could not be written: %s", error)
        self._written = time.monotonic()
        self._cost = self._written - started


def write_report(run: Run, report: Report) -> None:
    """Write report.html. Raises StorageRefusedError and StorageUnavailableError."""
    try:
        page = render(report)
    except Exception:
        # All it shows is in evaluation.json and predictions.parquet too: a model is not lost for a drawing.
        log.exception("report.html could not be drawn")
        return
    run.store.write(run.places.report, page.encode())
