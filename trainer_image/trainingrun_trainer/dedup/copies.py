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
    first = corpus.first_copies
    distinct, text = np.unique(first, return_inverse=True)
    return Copies(first, near_groups(corpus, distinct, threshold)[text])
