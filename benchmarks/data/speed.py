"""Texts a second of finding duplicates and near-duplicates, on one core."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from benchmarks.timing import timed
from rensa import RMinHash, RMinHashDeduplicator

from trainingrun_trainer.corpus import Corpus, first_duplicates
from trainingrun_trainer.dedup import find_duplicates
from trainingrun_trainer.dedup.near import near_groups
from trainingrun_trainer.dedup.shingles import SEED, VALUES, shingle_set
from trainingrun_trainer.records import Example, normalised, text_key

from .texts import examples, texts

THRESHOLDS = 0.8, 0.5
"""The default, and the lowest there is: the lower, the more pairs are compared."""


class Speed(NamedTuple):
    """Texts a second, ours and the peer's, and what both found."""

    what: str
    peer: str
    texts: int
    ours: float
    theirs: float
    found: int
    found_by_peer: int


def exact(count: int) -> Speed:
    """Texts that are duplicates of an earlier one; both fold Unicode, case and white space."""
    given = list(texts(count))
    ours, found = timed(lambda: _duplicates_by_key(given))
    theirs, by_peer = timed(lambda: _duplicates_by_pandas(given))
    return Speed(
        "duplicates", "pandas, string by string", count, count / ours, count / theirs, found, by_peer
    )


def near(count: int, threshold: float) -> Speed:
    """Texts that are near-duplicates of an earlier one, among texts none of which is a duplicate."""
    corpus = Corpus.store(examples(count))
    rows = find_duplicates(corpus, 1.0).first
    rows = rows[rows == range(count)]
    given = [normalised(text) for text in corpus.texts(rows)]
    ours, found = timed(lambda: len(rows) - len(np.unique(near_groups(corpus, rows, threshold))))
    theirs, by_peer = timed(lambda: _near_by_rensa(given, threshold))
    what, peer = f"near-duplicates, threshold {threshold}", "rensa's own deduplicator, estimates only"
    return Speed(what, peer, len(rows), len(rows) / ours, len(rows) / theirs, found, by_peer)


def store(count: int) -> float:
    """Texts a second that are written to disk with their keys."""
    given = [Example(text, ("a",)) for text in texts(count)]
    seconds, _ = timed(lambda: len(Corpus.store(given)))
    return count / seconds


def _duplicates_by_key(given: list[str]) -> int:
    keys = np.frombuffer(b"".join([text_key(text) for text in given]), np.uint64).reshape(-1, 2)
    return int((first_duplicates(keys) != np.arange(len(given))).sum())


def _duplicates_by_pandas(given: list[str]) -> int:
    folded = pd.Series(given).str.normalize("NFKC").str.casefold().str.split().str.join(" ")
    return int(folded.duplicated().sum())


def _near_by_rensa(given: list[str], threshold: float) -> int:
    deduplicator = RMinHashDeduplicator(threshold, VALUES, use_lsh=True, seed=SEED)
    kept = 0
    for start in range(0, len(given), 4096):
        sets = [shingle_set(text) for text in given[start : start + 4096]]
        sketches = RMinHash.from_token_sets(sets, VALUES, SEED)
        kept += sum(deduplicator.add_pairs([(str(start + n), one) for n, one in enumerate(sketches)]))
    return len(given) - kept
