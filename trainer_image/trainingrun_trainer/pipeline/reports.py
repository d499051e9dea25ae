"""evaluation.json and report.html, replaced while training goes on; report.html for good at its end."""

import logging
import time
from collections.abc import Callable

import torch
from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactPaths

from ..artifacts import Store
from ..errors import StorageRefusedError, StorageUnavailableError
from ..report import Report, render
from ..time_share import TimeShare
from ..training import EpochDone, Outcome
from .publish import write_evaluation
from .session import Run

log = logging.getLogger(__name__)

EXPECTED_SECONDS = 2.0
"""What the first page is taken to cost: a run of less than ten times this has one at its end only."""


class LiveResults:
    """Evaluation and page of the latest epoch, each as often as it costs little."""

    def __init__(self, run: Run, results: Callable[[Outcome], Report]) -> None:
        self._run, self._results = run, results
        self._scoring, self._drawing = TimeShare(), TimeShare(EXPECTED_SECONDS)

    def after_epoch(self, done: EpochDone) -> None:
        """Write what is due of an epoch that isn't the last; neither stops training nor changes it."""
        if done.outcome is None or done.is_last or not self._scoring.due(time.monotonic()):
            return
        try:
            # When this is done the clock decides, so it must not move the random numbers of training.
            with torch.random.fork_rng(devices=[]):
                self._write(done.outcome)
        except (StorageRefusedError, StorageUnavailableError, ValidationError) as error:
            log.warning("The results so far could not be written: %s", error)

    def _write(self, outcome: Outcome) -> None:
        with self._scoring.taken():
            report = self._results(outcome)
            write_evaluation(self._run.store.impatient, self._run.paths, report.evaluation)
        if self._drawing.due(time.monotonic()):
            with self._drawing.taken():
                write_report(self._run.store.impatient, self._run.paths, report)


def write_report(store: Store, paths: ArtifactPaths, report: Report) -> None:
    """Write report.html. Raises StorageRefusedError and StorageUnavailableError."""
    try:
        page = render(report)
    except Exception:
        # All it shows is in evaluation.json and predictions.parquet too: a model is not lost for a drawing.
        log.exception("report.html could not be drawn")
        return
    store.write(paths.report, page.encode())
