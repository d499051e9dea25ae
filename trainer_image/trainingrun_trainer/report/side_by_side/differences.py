"""What was set differently, and what that came to: rows with a value for each run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...setting_paths import settings_by_path
from ..content import Report
from ..facts import lineage, recipe


@dataclass(frozen=True)
class Row:
    """A fact about each run."""

    name: str
    values: tuple[str, ...]
    """In the order of the runs; empty where one has none."""


def settings_that_differ(reports: Sequence[Report]) -> dict[str, list[Row]]:
    """By what they are about; what all runs have in common is left out."""
    groups: dict[str, list[Iterable[tuple[str, str]]]] = {
        "Settings": [settings_by_path(report.record.config).items() for report in reports],
        "Recipe, as it was used": [recipe(report.evaluation.recipe) for report in reports],
        "Where it comes from": [lineage(report) for report in reports],
        "Versions": [report.record.versions.items() for report in reports],
    }
    found = {name: differing(columns) for name, columns in groups.items()}
    return {name: rows for name, rows in found.items() if rows}


def differing(columns: Sequence[Iterable[tuple[str, str]]]) -> list[Row]:
    """Of names and values, those whose values differ, in the order that names first appear in."""
    tables = [dict(column) for column in columns]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [Row(name, tuple(table.get(name, "") for table in tables)) for name in names]
    return [row for row in rows if len(set(row.values)) > 1]


def outcomes(reports: Sequence[Report]) -> list[Row]:
    """What stands beside the scores."""
    evaluations = [report.evaluation for report in reports]
    return [
        Row("Evaluation loss, nats per text", tuple(f"{one.loss:.3f}" for one in evaluations)),
        Row("Best epoch", tuple(f"{one.best_epoch} of {one.curves.epochs[-1].epoch}" for one in evaluations)),
        Row("Texts trained on", tuple(f"{one.data.training:,}" for one in evaluations)),
        Row("Texts evaluated on", tuple(f"{one.data.evaluation:,}" for one in evaluations)),
    ]
