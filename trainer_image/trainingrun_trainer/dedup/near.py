"""Near-copies: texts that have most of their shingles in common."""

from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..corpus import AT_ONCE, Corpus, Rows
from ..records import normalised
from .shingles import jaccard, shingle_set, shingles

VALUES = 128
"""Numbers in the MinHash of a text: 512 bytes, of which only the bands' hashes are kept, on disk."""

RECALL = 0.99
"""At least so many of the pairs that are as similar as the threshold are looked at."""

SEED = 1

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class NearPairs(NamedTuple):
    """Pairs that join all near-copies which were found; no pair joins what others join already."""

    first: Rows
    second: Rows
    similarity: NDArray[np.float64]
    """Jaccard similarity of the two texts' shingles, 0 to 1."""


def near_pairs(corpus: Corpus, rows: Rows, threshold: float) -> NearPairs:
    """Near-copies among the texts in `rows`, none of which is a copy of another.

    Texts whose MinHashes agree in all values of one band are in one bucket. Each is compared with the one
    before it and with the first one, shingle by shingle, so that what is given is no estimate. Memory grows
    by some 100 bytes a text, whatever its length; disk by 8 bytes for each band.
    """
    found = [NearPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    joined = np.arange(len(rows))
    for hashes in _bands(corpus, rows, threshold):
        for first, second in _candidates(hashes):
            apart = joined[first] != joined[second]
            near = _near(corpus, rows[first[apart]], rows[second[apart]], threshold)
            joined = _join(joined, np.searchsorted(rows, near.first), np.searchsorted(rows, near.second))
            found.append(near)
    return NearPairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def band_length(threshold: float) -> int:
    """Values in a band: as many as still find RECALL of the pairs that are as similar as `threshold`."""

    def recall(length: int) -> float:
        missed: float = (1 - threshold**length) ** (VALUES // length)
        return 1 - missed

    return max(length for length in range(1, VALUES + 1) if length == 1 or recall(length) >= RECALL)


def _bands(corpus: Corpus, rows: Rows, threshold: float) -> Iterator[NDArray[np.uint64]]:
    """One band after the other: a hash of its values for each text, (texts,)."""
    length = band_length(threshold)
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile(prefix="band-")) for _ in range(VALUES // length)]
        for start in range(0, len(rows), AT_ONCE):
            texts = [normalised(text) for text in corpus.texts(rows[start : start + AT_ONCE])]
            for file, hashes in zip(files, _band_hashes(texts, length), strict=True):
                hashes.tofile(file)
        for file in files:
            yield _content(file)


def _band_hashes(texts: list[str], length: int) -> NDArray[np.uint64]:
    """(bands, texts)."""
    hashes, offsets = shingles(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, VALUES, SEED)
    values = np.array(matrix.to_rows(), dtype=np.uint64)[:, : VALUES // length * length]
    total = np.zeros((len(texts), VALUES // length), dtype=np.uint64)
    for value in np.moveaxis(values.reshape(len(texts), -1, length), 2, 0):
        total = (total ^ value) * _MULTIPLIER
        total ^= total >> np.uint64(32)
    return np.ascontiguousarray(total.T)


def _content(file: IO[bytes]) -> NDArray[np.uint64]:
    file.seek(0)
    return np.fromfile(file, np.uint64)


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[tuple[Rows, Rows]]:
    """Texts of one bucket, each with the one before it, then with the first of all."""
    order = np.argsort(hashes, kind="stable")
    begins = np.concatenate([[True], np.diff(hashes[order]) != 0]) if len(order) else np.zeros(0, dtype=bool)
    others = np.flatnonzero(~begins)
    yield order[others - 1], order[others]
    head = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))[others]
    yield order[head], order[others]


def _near(corpus: Corpus, first: Rows, second: Rows, threshold: float) -> NearPairs:
    """Those of the pairs that are as similar as `threshold`."""
    similarity = np.zeros(len(first))
    for start in range(0, len(first), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        needed = np.unique(np.concatenate([first[part], second[part]]))
        texts = corpus.texts(needed)
        sets = {row: shingle_set(normalised(text)) for row, text in zip(needed.tolist(), texts, strict=True)}
        pairs = zip(first[part].tolist(), second[part].tolist(), strict=True)
        similarity[part] = [jaccard(sets[one], sets[other]) for one, other in pairs]
    near = similarity >= threshold
    return NearPairs(first[near], second[near], similarity[near])


def _join(joined: NDArray[np.int64], first: Rows, second: Rows) -> NDArray[np.int64]:
    """Number of what each text is joined with, after more pairs."""
    if not len(first):
        return joined
    ends = (joined[first], joined[second])
    ones = np.ones(len(first), dtype=np.int8)
    _, components = connected_components(coo_array((ones, ends), shape=(len(joined), len(joined))))
    after: NDArray[np.int64] = components[joined]
    return after
