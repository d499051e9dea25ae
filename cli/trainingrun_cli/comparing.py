"""Runs side by side: their results fetched, compared, and shown in the terminal or as a page."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.status import Phase
from trainingrun_client.client import Client
from trainingrun_client.errors import ClientError
from trainingrun_client.stored_runs import StoredRun
from trainingrun_trainer.errors import ObjectMissingError
from trainingrun_trainer.records import RunRecord
from trainingrun_trainer.report import Report
from trainingrun_trainer.report.side_by_side import compare, render_side_by_side

from .display import terminal
from .reports import write_page
from .side_by_side_display import show

MAX_RUNS = 8
"""Curves of more can't be told apart, and a table of more fits no terminal."""


def compare_runs(client: Client, runs: Sequence[str], page: Path | None) -> Path | None:
    """Print the runs side by side, and write them to `page` if it is given; gives that file's whole path.

    Raises ClientError for a run that isn't there or isn't finished.
    """
    if not 2 <= len(runs) <= MAX_RUNS:
        raise ClientError(f"name 2 to {MAX_RUNS} runs to compare; the others are compared with the first")
    reports = [_fetch(client.results(run)) for run in runs]
    _require_different(runs, reports)
    compared = compare(reports)
    show(terminal(), compared)
    return None if page is None else write_page(render_side_by_side(compared).encode(), page)


def _fetch(stored: StoredRun) -> Report:
    if stored.phase not in {None, Phase.SUCCEEDED}:
        raise ClientError(f"{stored.name} is {stored.phase}: only runs that have succeeded can be compared")
    evaluation = stored.parsed(ArtifactName.EVALUATION, Evaluation)
    if not evaluation.finished:
        raise ClientError(f"{stored.name} is still training; only finished runs can be compared")
    return Report(evaluation, stored.parsed(ArtifactName.RUN, RunRecord), _predictions(stored))


def _predictions(run: StoredRun) -> pa.Table | None:
    """Labels of the evaluation texts; None where there are none."""
    try:
        content = run.read(ArtifactName.PREDICTIONS)
    except ObjectMissingError:
        return None
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise ClientError(f"{run.uri(ArtifactName.PREDICTIONS)} can't be read: {error}") from error
    return table if {"labels", "predicted"} <= set(table.column_names) else None


def _require_different(runs: Sequence[str], reports: Sequence[Report]) -> None:
    seen: dict[str, str] = {}
    for run, report in zip(runs, reports, strict=True):
        prefix = report.record.config.output_prefix
        if prefix in seen:
            raise ClientError(f"{seen[prefix]} and {run} are results of the same run; name each run once")
        seen[prefix] = run
