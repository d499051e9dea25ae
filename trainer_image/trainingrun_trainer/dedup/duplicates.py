"""Duplicates and near-duplicates among the texts of a corpus: found, left out, and shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainingrun_api.evaluation import TextPair

from ..corpus import Corpus, Rows, Texts
from ..records import Example, normalised
from .near import near_groups
from .shingles import jaccard, shingle_set

SHOWN = 20
"""Pairs of a kind."""

CHARACTERS = 200
"""Of each text."""


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Which texts of a corpus are the same, and which nearly."""

    first: Rows
    """Of each text the first one that is a duplicate of it, itself among them, (texts,)."""
    group: NDArray[np.int64]
    """A number for each text, (texts,), the same for duplicates, near-duplicates, and near-duplicates of
    these."""


def find_duplicates(corpus: Corpus, threshold: float) -> Duplicates:
    """Texts with the same key, and texts whose shingles are as similar as `threshold` (Jaccard, 0 to 1)."""
    first = corpus.first_duplicates
    distinct, text = np.unique(first, return_inverse=True)
    return Duplicates(first, near_groups(corpus, distinct, threshold)[text])


@dataclass(frozen=True, eq=False)
class DuplicatePairs:
    """Texts, each beside an earlier one."""

    earlier: Rows
    later: Rows

    def __len__(self) -> int:
        return len(self.later)


@dataclass(frozen=True, eq=False)
class Deduplicated:
    """The texts that are kept, and all that occur again, left out or not."""

    texts: Texts
    duplicates: DuplicatePairs
    """Duplicates, beside the one that is kept, with the same labels."""
    conflicts: DuplicatePairs
    """Duplicates with other labels."""
    near_duplicates: DuplicatePairs
    """Texts beside the first of their near-duplicates that has the same labels; duplicates count as one
    text."""
    near_conflicts: DuplicatePairs
    """Texts beside the first of their near-duplicates, which has other labels."""


def deduplicate(texts: Texts, duplicates: Duplicates, *, skip: bool, skip_near: bool) -> Deduplicated:
    """Look for what occurs again among `texts`.

    `skip` keeps of duplicates the first one that has the labels most of them have (the first such labels on a
    tie); `skip_near` of these, among near-duplicates with the same labels, the first one. The order stays.
    Texts with different context are different texts here: the model can tell them apart.
    """
    rows, label_set, contexts = texts.rows, texts.corpus.label_set, texts.corpus.contexts
    duplicate = _together(duplicates.first[rows], contexts[rows])
    chosen = _representatives(duplicate, label_set[rows])
    once = rows[chosen]
    stands_for = np.empty_like(once)
    stands_for[duplicate[chosen]] = once
    kept = stands_for[duplicate]
    again, same = kept != rows, label_set[kept] == label_set[rows]
    group = _together(duplicates.group[once], contexts[once])
    near = _first_of_each(group, once)
    near_same = _first_of_each(_together(group, label_set[once]), once)
    distinct = near_same == once
    return Deduplicated(
        texts=Texts(texts.corpus, (once[distinct] if skip_near else once) if skip else rows),
        duplicates=DuplicatePairs(kept[again & same], rows[again & same]),
        conflicts=DuplicatePairs(kept[again & ~same], rows[again & ~same]),
        near_duplicates=DuplicatePairs(near_same[~distinct], once[~distinct]),
        near_conflicts=_where(label_set[near] != label_set[once], near, once),
    )


def without_duplicates_of(
    texts: Texts, others: Texts, duplicates: Duplicates
) -> tuple[Texts, DuplicatePairs]:
    """Those of `texts` that are no duplicate or near-duplicate of one of `others`, and those that are one."""
    if not len(others):
        return texts, DuplicatePairs(texts.rows[:0], texts.rows[:0])
    groups, where = np.unique(duplicates.group[others.rows], return_index=True)
    mine = duplicates.group[texts.rows]
    found = np.minimum(np.searchsorted(groups, mine), len(groups) - 1)
    leaked = groups[found] == mine
    return (
        Texts(texts.corpus, texts.rows[~leaked]),
        DuplicatePairs(others.rows[where[found[leaked]]], texts.rows[leaked]),
    )


def _where(chosen: NDArray[np.bool_], earlier: Rows, later: Rows) -> DuplicatePairs:
    return DuplicatePairs(earlier[chosen], later[chosen])


def _together(group: NDArray[np.int64], other: NDArray[np.integer]) -> NDArray[np.int64]:
    """A number, from 0 on, for each group that is the same in both."""
    kinds, kind = np.unique(other, return_inverse=True)
    _, number = np.unique(group * max(len(kinds), 1) + kind, return_inverse=True)
    return number


def _first_of_each(group: NDArray[np.int64], rows: Rows) -> Rows:
    """Of each row the first one of its group."""
    _, where, inverse = np.unique(group, return_index=True, return_inverse=True)
    firsts: Rows = rows[where[inverse]]
    return firsts


def _representatives(duplicate: NDArray[np.int64], label_set: NDArray[np.int32]) -> NDArray[np.int64]:
    """Positions of one text for each group of duplicates, in order."""
    _, where, count = np.unique(_together(duplicate, label_set), return_index=True, return_counts=True)
    best = np.lexsort((where, -count, duplicate[where]))
    begins = np.concatenate([[True], np.diff(duplicate[where[best]]) != 0])[: len(best)]
    return np.sort(where[best[begins]])


def examples(corpus: Corpus, pairs: DuplicatePairs) -> list[TextPair]:
    """The first pairs."""
    earlier, later = corpus.examples(pairs.earlier[:SHOWN]), corpus.examples(pairs.later[:SHOWN])
    return [_pair(one, other) for one, other in zip(earlier, later, strict=True)]


def _pair(one: Example, other: Example) -> TextPair:
    similarity = jaccard(shingle_set(normalised(one.text)), shingle_set(normalised(other.text)))
    return TextPair(
        text=_shown(one.text),
        labels=list(one.labels),
        other=_shown(other.text),
        other_labels=list(other.labels),
        similarity=round(similarity, 3),
    )


def _shown(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"
