"""Scores of runs beside each other, whole and by class."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun_api.evaluation import ClassScores

from ..content import Report
from ..headline import Score, headline
from .runs import kind


@dataclass(frozen=True)
class ScoreRow:
    """A score of each run on its own evaluation split."""

    name: str
    values: tuple[Score | None, ...]
    """In the order of the runs; None for one that has no such score."""

    @property
    def changes(self) -> tuple[float | None, ...]:
        """Points above the first run, of each run."""
        return _changes([None if one is None else one.value for one in self.values])


@dataclass(frozen=True)
class ClassRow:
    """A label's scores in each run."""

    label: str
    values: tuple[ClassScores | None, ...]
    """In the order of the runs; None for one that has no evaluation text of it."""

    @property
    def changes(self) -> tuple[float | None, ...]:
        """Points of F1 above the first run, of each run."""
        return _changes([None if one is None else one.f1 for one in self.values])

    @property
    def largest(self) -> float:
        """The largest of the changes, whatever its sign; -1 where no two runs can be compared."""
        return max((abs(change) for change in self.changes[1:] if change is not None), default=-1)


def score_rows(reports: Sequence[Report]) -> list[ScoreRow]:
    """A row for each score; those of different kinds that have one name, such as accuracy, stand apart."""
    kinds = [kind(report) for report in reports]
    several = len(set(kinds)) > 1
    columns = [
        {f"{score.name} ({kind})" if several else score.name: score for score in headline(report).scores}
        for kind, report in zip(kinds, reports, strict=True)
    ]
    names = dict.fromkeys(name for column in columns for name in column)
    return [ScoreRow(name, tuple(column.get(name) for column in columns)) for name in names]


def class_rows(reports: Sequence[Report]) -> list[ClassRow]:
    """A row for each label that any run was evaluated on, the most changed first."""
    columns = [
        {one.label: one for one in report.scores.evaluated} if report.scores else {} for report in reports
    ]
    labels = dict.fromkeys(label for column in columns for label in column)
    rows = [ClassRow(label, tuple(column.get(label) for column in columns)) for label in labels]
    return sorted(rows, key=lambda row: -row.largest)


def _changes(values: Sequence[float | None]) -> tuple[float | None, ...]:
    first = values[0]
    return tuple(None if value is None or first is None else 100 * (value - first) for value in values)
