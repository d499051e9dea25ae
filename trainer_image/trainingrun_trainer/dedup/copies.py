"""Copies and near-copies among the texts of a corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..corpus import Corpus, Rows
from .near import near_groups


@dataclass(frozen=True, eq=False)
class Copies:
    """Which texts of a corpus are the same, and which nearly."""

    first: Rows
    """Of each text the first one that is a copy of it, itself among them, (texts,)."""
    group: NDArray[np.int64]
    """A number for each text, (texts,), the same for copies, near-copies, and near-copies of these."""


def find_copies(corpus: Corpus, threshold: float) -> Copies:
    """Texts with the same key, and texts whose shingles are as similar as `threshold` (Jaccard, 0 to 1)."""
    first = first_copies(corpus.keys)
    distinct, text = np.unique(first, return_inverse=True)
    return Copies(first, near_groups(corpus, distinct, threshold)[text])


def first_copies(keys: NDArray[np.uint64]) -> Rows:
    """Of each key, (texts, 2), the position of the first that is equal."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: of equal keys the first stays the first
    in_order = keys[order]
    begins = np.concatenate([[True], (in_order[1:] != in_order[:-1]).any(axis=1)])[: len(order)]
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    return first
