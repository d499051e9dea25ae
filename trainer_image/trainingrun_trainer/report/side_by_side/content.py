"""All that is said of several runs, whatever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..content import Report
from .differences import Row, outcomes, settings_that_differ
from .runs import names_of, remarks
from .scores import ClassRow, ScoreRow, class_rows, score_rows
from .significance import PairedRuns, paired_runs


@dataclass(frozen=True)
class SideBySide:
    """Runs beside each other; the first is what the others are compared with."""

    names: list[str]
    reports: list[Report]
    remarks: list[str]
    """What can't be compared, and why."""
    scores: list[ScoreRow]
    outcomes: list[Row]
    """What stands beside the scores."""
    paired: list[PairedRuns]
    """Each run but the first, beside the first."""
    classes: list[ClassRow]
    """The most changed first; empty where no run gives labels."""
    differences: dict[str, list[Row]]
    """What was set differently, by what it is about."""


def compare(reports: Sequence[Report]) -> SideBySide:
    """Put two runs or more side by side."""
    names = names_of(reports)
    return SideBySide(
        names=names,
        reports=list(reports),
        remarks=remarks(names, reports),
        scores=score_rows(reports),
        outcomes=outcomes(reports),
        paired=paired_runs(names, reports),
        classes=class_rows(reports),
        differences=settings_that_differ(reports),
    )
