"""All that is said of several runs, whatever shows it: names, scores, classes, settings."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trainingrun_api.evaluation import ClassScores

from ...setting_paths import settings_by_path
from ..content import Report
from ..facts import lineage, recipe
from ..headline import Score, headline
from .significance import PairedRuns, paired_runs


@dataclass(frozen=True)
class Fact:
    """A fact about each run."""

    name: str
    values: tuple[str, ...]
    """In the order of the runs; empty where one has none."""


def settings_that_differ(reports: Sequence[Report]) -> dict[str, list[Fact]]:
    """By what they are about; what all runs have in common is left out."""
    groups: dict[str, list[Iterable[tuple[str, str]]]] = {
        "Settings": [settings_by_path(report.record.config).items() for report in reports],
        "Recipe used": [recipe(report.evaluation.recipe) for report in reports],
        "Provenance": [lineage(report) for report in reports],
        "Versions": [report.record.versions.items() for report in reports],
    }
    found = {name: differing(columns) for name, columns in groups.items()}
    return {name: rows for name, rows in found.items() if rows}


def differing(columns: Sequence[Iterable[tuple[str, str]]]) -> list[Fact]:
    """Of names and values, those whose values differ, in the order that names first appear in."""
    tables = [dict(column) for column in columns]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [Fact(name, tuple(table.get(name, "") for table in tables)) for name in names]
    return [row for row in rows if len(set(row.values)) > 1]


def outcomes(reports: Sequence[Report]) -> list[Fact]:
    """What stands beside the scores."""
    evaluations = [report.evaluation for report in reports]
    return [
        Fact("Evaluation loss, nats per text", tuple(f"{one.loss:.3f}" for one in evaluations)),
        Fact(
            "Best epoch", tuple(f"{one.best_epoch} of {one.curves.epochs[-1].epoch}" for one in evaluations)
        ),
        Fact("Texts trained on", tuple(f"{one.data.training:,}" for one in evaluations)),
        Fact("Texts evaluated on", tuple(f"{one.data.evaluation:,}" for one in evaluations)),
    ]


def names_of(reports: Sequence[Report]) -> list[str]:
    """The runs' names, with the last part of their output where several have one name."""
    runs = [report.record.config for report in reports]
    times = Counter(config.run.name for config in runs)
    return [
        config.run.name
        if times[config.run.name] == 1
        else f"{config.run.name}@{_last_part(config.output_prefix)}"
        for config in runs
    ]


def kind(report: Report) -> str:
    """What was scored, in words."""
    if report.similarity is not None:
        return f"embeddings of {report.evaluation.kind}"
    several = report.scores is not None and report.scores.threshold is not None
    return "several labels a text" if several else "one label a text"


def remarks(names: Sequence[str], reports: Sequence[Report]) -> list[str]:
    """What can't be compared, and why."""
    kinds = [kind(report) for report in reports]
    said = []
    if len(set(kinds)) > 1:
        each = "; ".join(f"{name}: {one}" for name, one in zip(names, kinds, strict=True))
        said.append(
            f"The runs have different kinds of scores ({each}): scores that mean different things stand in "
            "rows of their own, and their losses can't be compared"
        )
    said += [
        f"The scores of {name} are of the model before its final fit on all {final.texts:,} texts, which is "
        "published"
        for name, report in zip(names, reports, strict=True)
        if (final := report.evaluation.fitted_anew) is not None
    ]
    evaluated = [[one.label for one in report.scores.evaluated] for report in reports if report.scores]
    if partly := _in_some_only(evaluated):
        said.append(f"Not all runs were evaluated on these labels, so their averages differ: {_some(partly)}")
    return said


def _in_some_only(runs: Sequence[Sequence[str]]) -> list[str]:
    times = Counter(label for labels in runs for label in labels)
    return sorted(label for label in times if times[label] < len(runs))


def _some(labels: Sequence[str], most: int = 10) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return f"{', '.join(labels[:most])}{more}"


def _last_part(prefix: str) -> str:
    return prefix.rstrip("/").rpartition("/")[2]


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


@dataclass(frozen=True)
class SideBySide:
    """Runs beside each other; the first is what the others are compared with."""

    names: list[str]
    reports: list[Report]
    remarks: list[str]
    """What can't be compared, and why."""
    scores: list[ScoreRow]
    outcomes: list[Fact]
    """What stands beside the scores."""
    paired: list[PairedRuns]
    """Each run but the first, beside the first."""
    classes: list[ClassRow]
    """The most changed first; empty where no run gives labels."""
    differences: dict[str, list[Fact]]
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
