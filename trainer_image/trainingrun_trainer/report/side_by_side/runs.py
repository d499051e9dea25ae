"""What runs are called, and which of their scores can be compared."""

from collections import Counter
from collections.abc import Sequence

from ..content import Report


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
            f"The runs were scored on different things ({each}): scores that mean different things stand in "
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
        said.append(
            f"Labels that not all runs were evaluated on, which makes their averages differ: {_some(partly)}"
        )
    return said


def _in_some_only(runs: Sequence[Sequence[str]]) -> list[str]:
    times = Counter(label for labels in runs for label in labels)
    return sorted(label for label in times if times[label] < len(runs))


def _some(labels: Sequence[str], most: int = 10) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return f"{', '.join(labels[:most])}{more}"


def _last_part(prefix: str) -> str:
    return prefix.rstrip("/").rpartition("/")[2]
