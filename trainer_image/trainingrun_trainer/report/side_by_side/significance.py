"""Whether runs differ by more than chance, judged on the texts that both were evaluated on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trainingrun_api.metrics import ACCURACY, MACRO_F1, Metric

from ...evaluation import MIN_DECISIVE, Difference, Indices, PairedScores, paired_scores
from ..content import Report

Labels = frozenset[str]
Judged = tuple[Labels, Labels]
"""The labels that a text has, and those it was given."""
Key = tuple[object, ...]
"""A text, its context where both runs read the same, and which of its occurrences it is."""

SIDES = {"better": True, "worse": False}


@dataclass(frozen=True)
class PairedRuns:
    """A run beside the first one."""

    first: str
    second: str
    common: int = 0
    """Evaluation texts of both, with the same labels."""
    relabelled: int = 0
    """Evaluation texts of both whose labels differ, and which are left out."""
    own: tuple[int, int] = (0, 0)
    """Evaluation texts of each."""
    scores: PairedScores | None = None
    """None where there is nothing to score by."""
    missing: str = ""
    """What there lacks to score by."""

    @property
    def scored(self) -> dict[Metric, Difference]:
        """Differences by metric, where there are enough texts to score by."""
        if self.scores is None or not self.scores.enough:
            return {}
        return {ACCURACY: self.scores.accuracy, MACRO_F1: self.scores.macro_f1}

    @property
    def verdict(self) -> str:
        """Whether one is better, in a sentence."""
        if reason := self.reason:
            return f"It can't be determined whether {self.second} is better than {self.first}: {reason}."
        if self.scores is not None and not self.scores.differing:
            return f"{self.second} predicts the same labels as {self.first}: no difference."
        beyond = {one.name: found.value > 0 for one, found in self.scored.items() if found.beyond_chance}
        if not beyond:
            return f"The difference between {self.second} and {self.first} is not statistically significant."
        sides = {word: [name for name in beyond if beyond[name] is up] for word, up in SIDES.items()}
        said = ", ".join(f"{word} in {' and '.join(names)}" for word, names in sides.items() if names)
        return f"{self.second} is significantly {said} than {self.first}."

    @property
    def reason(self) -> str:
        """Why it can't be told; empty where it can."""
        if self.scores is None:
            return self.missing
        if self.scores.enough or not self.scores.differing:
            return ""
        return (
            f"only {self.scores.decisive} of the {self.common:,} texts are right in one run and wrong in the "
            f"other, and fewer than {MIN_DECISIVE} may all come out for one run by chance"
        )

    @property
    def basis(self) -> str:
        """Which texts it was judged by, in a sentence; empty where there are none."""
        if self.scores is None:
            return ""
        if self.own == (self.common, self.common):
            return f"Both were evaluated on the same {self.common:,} texts."
        left_out = (
            f" {self.relabelled:,} more have different labels, and are left out." if self.relabelled else ""
        )
        return (
            f"Compared on the {self.common:,} texts that both were evaluated on, of {self.own[0]:,} of "
            f"{self.first} and {self.own[1]:,} of {self.second}.{left_out}"
        )


def paired_runs(names: Sequence[str], reports: Sequence[Report]) -> list[PairedRuns]:
    """Each run but the first, beside the first."""
    others = zip(names[1:], reports[1:], strict=True)
    return [_paired(names[0], reports[0], name, report) for name, report in others]


def _paired(first: str, report: Report, second: str, other: Report) -> PairedRuns:
    for name, one in ((first, report), (second, other)):
        if one.predictions is None:
            labelled = f"the predictions.parquet of {name} is missing"
            return PairedRuns(first, second, missing=labelled if one.scores else f"{name} gives no labels")
    context = report.record.config.context_parameters == other.record.config.context_parameters
    texts, others = (_texts(one.predictions, context=context) for one in (report, other))
    both = [(texts[key], others[key]) for key in texts if key in others]
    pairs = [(one, another) for one, another in both if one[0] == another[0]]
    return PairedRuns(
        first,
        second,
        common=len(pairs),
        relabelled=len(both) - len(pairs),
        own=(len(texts), len(others)),
        scores=_scores(pairs) if pairs else None,
        missing="" if pairs else "no evaluation text is in both with the same labels",
    )


def _texts(table: pa.Table, *, context: bool) -> dict[Key, Judged]:
    wanted = {"text", "labels", "predicted"} | ({"context"} if context else set())
    times: Counter[Key] = Counter()
    texts: dict[Key, Judged] = {}
    for row in table.select([name for name in table.column_names if name in wanted]).to_pylist():
        key = (row["text"], *row.get("context", ()))
        texts[(*key, times[key])] = (frozenset(row["labels"]), frozenset(row["predicted"]))
        times[key] += 1
    return texts


def _scores(pairs: Sequence[tuple[Judged, Judged]]) -> PairedScores:
    """Of texts as the first run has them, and as the other has them."""
    columns = [[one[0] for one, _ in pairs], [one[1] for one, _ in pairs], [other[1] for _, other in pairs]]
    labels = sorted(set[str]().union(*(labels for column in columns for labels in column)))
    targets, first, second = _encoded(columns, labels)
    return paired_scores(targets, first, second, len(labels))


def _encoded(columns: Sequence[Sequence[Labels]], labels: Sequence[str]) -> list[Indices]:
    """Label indices, (texts,), where each text has one label throughout; else 0 and 1, (texts, labels)."""
    number = {label: index for index, label in enumerate(labels)}
    if all(len(one) == 1 for column in columns for one in column):
        return [np.array([number[next(iter(one))] for one in column]) for column in columns]
    sets = [np.zeros((len(column), len(labels)), dtype=np.int64) for column in columns]
    for array, column in zip(sets, columns, strict=True):
        for row, one in zip(array, column, strict=True):
            row[[number[label] for label in one]] = 1
    return sets
