"""Copies among rows of texts that are compared, and their division into two parts."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .errors import DataError
from .group_order import places
from .pairs import Pairs, PairSplits

LARGEST_GROUP = 0.5
"""Share of the rows from which on they can't be divided so that they share no text."""

Groups = NDArray[np.integer]
"""A number for each row, (rows,), the same for those that stay together."""


@dataclass(frozen=True)
class DistinctPairs:
    """Each row of texts once, and how many copies there were besides."""

    rows: Pairs
    duplicates: int
    """Copies with the score of the first."""
    conflicts: int
    """Copies with another score."""


def deduplicate_pairs(rows: Pairs) -> DistinctPairs:
    """Keep the first of each row's copies, with the mean of their scores.

    Copies have texts of the same key (`text_key`); of scored pairs also in the other order.
    """
    texts = rows.copies if rows.scores is None else np.sort(rows.copies, axis=1)
    _, first, copy = np.unique(texts, axis=0, return_index=True, return_inverse=True)
    chosen = np.sort(first)
    kept = rows.take(chosen)
    if rows.scores is None:
        return DistinctPairs(kept, len(rows) - len(kept), 0)
    conflicts = int(np.count_nonzero(rows.scores != rows.scores[first[copy]]))
    means = np.bincount(copy, rows.scores) / np.bincount(copy)
    kept = replace(kept, scores=means[copy[chosen]])
    return DistinctPairs(kept, len(rows) - len(kept) - conflicts, conflicts)


def split_pairs(rows: Pairs, train_percent: int, seed: int) -> PairSplits:
    """Divide rows so that no text stands on both sides: the same rows and seed always give the same parts.

    Rows that hang together by texts they share go to one side as a whole. Where more than LARGEST_GROUP of
    all rows do, only first texts don't stand on both sides. Groups are ordered by a hash of seed and content.
    Raises DataError when there is nothing to evaluate on.
    """
    connected = _connected(rows)
    linked = np.bincount(connected).max() > LARGEST_GROUP * len(rows)
    numbers, group = np.unique(rows.copies[:, 0] if linked else connected, return_inverse=True)
    if len(numbers) < 2:
        raise DataError(
            f"all {len(rows)} rows have the same first text, so nothing is left to evaluate on: add rows, or "
            "name the fields of the texts in spec.dataset.textField and pairField"
        )
    place = places(rows.keys, group, seed)
    sizes = np.cumsum(np.bincount(place))[:-1]  # of the training split, cut behind each place but the last
    cut = np.argmin(np.abs(sizes - len(rows) * train_percent / 100))
    return PairSplits(rows.take(place <= cut), rows.take(place > cut), texts_shared=bool(linked))


def given_pairs(learned: Pairs, evaluated: Pairs) -> tuple[PairSplits, int]:
    """Both parts, of one corpus, as they are given, without rows to train on that hold a text of a row to
    evaluate on.

    Gives how many were left out, too. Raises DataError when nothing is left to train on.
    """
    leaked, _ = np.nonzero(np.isin(learned.copies, evaluated.copies))
    kept = learned.take(np.setdiff1d(np.arange(len(learned)), leaked))
    if not len(kept):
        raise DataError(
            "each row of spec.dataset holds a text of spec.evaluationDataset, so nothing is left to train on"
        )
    return PairSplits(kept, evaluated, texts_shared=False), len(learned) - len(kept)


def _connected(rows: Pairs) -> Groups:
    """Groups of rows with no text in common between them."""
    copies = rows.copies
    heads, tails = np.repeat(copies[:, 0], rows.width - 1), copies[:, 1:].ravel()
    texts = len(rows.corpus)
    links = coo_array((np.ones(len(heads), np.int8), (heads, tails)), shape=(texts, texts))
    group: Groups = connected_components(links, directed=False)[1][copies[:, 0]]
    return group
