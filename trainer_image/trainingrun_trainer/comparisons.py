"""Copies among rows of texts that are compared, and their division into two parts."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean

from .errors import DataError
from .records import Comparison, ComparisonSplits, text_key

LARGEST_GROUP = 0.5
"""Share of the rows from which on they can't be divided so that they share no text."""

Key = bytes
"""What `text_key` gives."""


@dataclass(frozen=True)
class DistinctComparisons:
    """Each row of texts once, and how many copies there were besides."""

    rows: list[Comparison]
    duplicates: int
    """Copies with the score of the first."""
    conflicts: int
    """Copies with another score."""


def deduplicate_comparisons(rows: Sequence[Comparison]) -> DistinctComparisons:
    """Keep the first of each row's copies, with the mean of their scores.

    Copies have texts of the same key (`text_key`); of scored pairs also in the other order.
    """
    groups: dict[tuple[Key, ...], list[Comparison]] = defaultdict(list)
    for row in rows:
        groups[_copy_key(row)].append(row)
    same = sum(sum(copy.score == group[0].score for copy in group) - 1 for group in groups.values())
    kept = [replace(group[0], score=_mean_score(group)) for group in groups.values()]
    return DistinctComparisons(kept, same, len(rows) - len(kept) - same)


def split_comparisons(rows: Sequence[Comparison], train_percent: int, seed: int) -> ComparisonSplits:
    """Divide rows so that no text stands on both sides: the same rows and seed always give the same parts.

    Rows that hang together by texts they share go to one side as a whole. Where more than LARGEST_GROUP of
    all rows do, only first texts don't stand on both sides. Groups are ordered by a hash of seed and content.
    Raises DataError when there is nothing to evaluate on.
    """
    groups = _connected(rows)
    linked = max(map(len, groups), default=0) > LARGEST_GROUP * len(rows)
    if linked:
        groups = _grouped(rows, lambda row: text_key(row.texts[0]))
    if len(groups) < 2:
        raise DataError(
            f"all {len(rows)} rows have the same first text, so nothing is left to evaluate on: add rows, or "
            "name the fields of the texts in spec.dataset.textField and pairField"
        )
    groups.sort(key=lambda group: min(_rank(seed, row) for row in group))
    sizes = list(accumulate(map(len, groups)))
    wanted = len(rows) * train_percent / 100
    cut = min(range(1, len(groups)), key=lambda cut: abs(sizes[cut - 1] - wanted))
    return ComparisonSplits(
        training=[row for group in groups[:cut] for row in group],
        evaluation=[row for group in groups[cut:] for row in group],
        texts_shared=linked,
    )


def given_comparisons(
    learned: Sequence[Comparison], evaluated: Sequence[Comparison]
) -> tuple[ComparisonSplits, int]:
    """Both parts as they are given, without rows to train on that hold a text of a row to evaluate on.

    Gives how many were left out, too. Raises DataError when nothing is left to train on.
    """
    held_out = {text_key(text) for row in evaluated for text in row.texts}
    kept = [row for row in learned if held_out.isdisjoint(map(text_key, row.texts))]
    if not kept:
        raise DataError(
            "each row of spec.dataset holds a text of spec.evaluationDataset, so nothing is left to train on"
        )
    return ComparisonSplits(kept, list(evaluated), texts_shared=False), len(learned) - len(kept)


def _connected(rows: Sequence[Comparison]) -> list[list[Comparison]]:
    """Groups of rows with no text in common between them, by union-find over the texts."""
    parents: dict[Key, Key] = {}

    def root(key: Key) -> Key:
        while (parent := parents.setdefault(key, key)) != key:
            parents[key] = key = parents[parent]
        return key

    for row in rows:
        first, *others = map(text_key, row.texts)
        for other in others:
            parents[root(other)] = root(first)
    return _grouped(rows, lambda row: root(text_key(row.texts[0])))


def _grouped(rows: Sequence[Comparison], key: Callable[[Comparison], Key]) -> list[list[Comparison]]:
    groups: dict[Key, list[Comparison]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())


def _copy_key(row: Comparison) -> tuple[Key, ...]:
    keys = tuple(map(text_key, row.texts))
    return keys if row.score is None else tuple(sorted(keys))


def _mean_score(group: list[Comparison]) -> float | None:
    scores = [row.score for row in group if row.score is not None]
    return fmean(scores) if scores else None


def _rank(seed: int, row: Comparison) -> bytes:
    return hashlib.sha256(b"".join([str(seed).encode(), *map(text_key, row.texts)])).digest()
