"""What else rows hold: which values of their other fields come with which labels."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .cells import is_missing
from .rows import Row

ALL_ROWS, EVERY = 20_000, 100
"""Rows that are looked at, and which of those after them: enough to know shares by, at no cost that shows."""

MAX_VALUES = 100
"""Distinct values of a field from which on it is no category: a number, a date, a name."""

LEAST_TEXTS = 10
"""Texts of a label below which nothing is said of it."""

COVERED = 0.8
"""Share of a label's texts that have the field, below which nothing is said of it."""

GIVEN_AWAY = 0.95
"""Share of texts from which on a field is another form of the label."""


@dataclass(frozen=True)
class FieldValues:
    """How often each value of a field comes with each label."""

    name: str
    """Column, or dotted path."""
    values: dict[str, int]
    """Texts looked at, by the value they have."""
    counts: NDArray[np.int64]
    """Texts, (values, labels)."""
    labels: list[str]
    texts: NDArray[np.int64]
    """Texts of each label, with the field or without, (labels,)."""

    def tells(self, labels: Sequence[str] | None = None) -> float | None:
        """Mean over these labels, or all, of the share of their texts whose value alone gives the label.

        Each text is judged by the others' values, so that one which occurs once tells nothing. None where a
        label has too few texts with the field, or isn't known.
        """
        chosen = self.labels if labels is None else labels
        if len(chosen) < 2 or not set(chosen) <= set(self.labels):
            return None
        columns = [self.labels.index(label) for label in chosen]
        counts, texts = self.counts[:, columns], self.texts[columns]
        have = counts.sum(axis=0)
        if (have < np.maximum(LEAST_TEXTS, COVERED * texts)).any():
            return None
        shares, shares_of_others = counts / have, (counts - 1) / (have - 1)
        right = [
            shares_of_others[:, label] > np.delete(shares, label, axis=1).max(axis=1)
            for label in range(len(chosen))
        ]
        return float((counts * np.array(right).T / have).sum(axis=0).mean())

    @property
    def gives_label_away(self) -> bool:
        """Whether it is another form of the label."""
        return (self.tells() or 0) >= GIVEN_AWAY


@dataclass
class FieldCounts:
    """Counts values as rows are read."""

    rows: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    """Texts looked at, of each label."""
    values: dict[str, defaultdict[str, Counter[str | None]] | None] = field(default_factory=dict)
    """By field and value the texts of each label, and under None all of them; None for a field that is no
    category."""

    def add(self, row: Row, labels: Iterable[str], left_out: Sequence[str]) -> None:
        """Count a row that is used, with its labels if it has any; fields `left_out` hold these and texts."""
        self.rows += 1
        if self.rows > ALL_ROWS and self.rows % EVERY:
            return
        labels = list(labels)
        self.texts.update(labels)
        for name, value in row.fields():
            if name not in left_out:
                self._count(name, value, labels)

    def fields(self) -> list[FieldValues]:
        """What is known of each field."""
        labels = sorted(self.texts)
        texts = np.array([self.texts[label] for label in labels])
        return [
            FieldValues(
                name,
                {value: counted[None] for value, counted in values.items()},
                _matrix(values, labels),
                labels,
                texts,
            )
            for name, values in self.values.items()
            if values
        ]

    def _count(self, name: str, value: object, labels: list[str]) -> None:
        if is_missing(value):
            return
        values = self.values.setdefault(name, defaultdict(Counter))
        if values is None:
            return
        if not isinstance(value, str | int | float) or len(values) > MAX_VALUES:
            self.values[name] = None
            return
        values[str(value)].update((None, *labels))


def _matrix(values: dict[str, Counter[str | None]], labels: list[str]) -> NDArray[np.int64]:
    rows = [[counted[label] for label in labels] for counted in values.values()]
    return np.array(rows, dtype=np.int64)
