"""Character n-grams of texts: what near-copies have in common."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

LENGTH = 4
"""Characters of a shingle: words of all languages fall into several, and a typing error spoils few."""

HASH_BITS = 48
"""Of a shingle's hash, which tell it from those of another text when two are compared."""

AT_ONCE = 1 << 20
"""Shingles of texts that are compared together."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Shingles(NamedTuple):
    """Hashes of the shingles of many texts."""

    hashes: NDArray[np.uint64]
    """Of all texts, one text after the other, (shingles,)."""
    offsets: NDArray[np.uint64]
    """Where each text begins, and the end, (texts + 1,)."""


def shingle_set(text: str) -> set[str]:
    """The shingles of a normalised text, with the space before and after it; at least one."""
    padded = _padded(text)
    return {padded[start : start + LENGTH] for start in range(len(padded) - LENGTH + 1)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Share of what both have in what either has, 0 to 1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def shingles(texts: Sequence[str]) -> Shingles:
    """Hashes of the shingles of normalised texts."""
    padded = [_padded(text) for text in texts]
    characters = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    ends = lengths.cumsum()
    starts_one = np.ones(len(characters), dtype=bool)
    starts_one[(ends[:, None] - np.arange(1, LENGTH)).ravel()] = False  # it would reach into the next text
    offsets = np.concatenate([[0], (lengths - (LENGTH - 1)).cumsum()])
    return Shingles(_hashes(characters)[starts_one], offsets.astype(np.uint64))


def similarities(texts: Sequence[str], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """What `jaccard` gives for pairs of normalised texts, at most 65,536 of them; `pairs` is (2, pairs)."""
    sets = _sets(texts)
    sizes = np.diff(sets.indptr)
    either = sizes[pairs].sum(axis=0)  # what both have is counted twice
    common = np.zeros(pairs.shape[1])
    for part in np.split(np.arange(len(common)), np.flatnonzero(np.diff(either.cumsum() // AT_ONCE)) + 1):
        one, other = sets[pairs[0, part]], sets[pairs[1, part]]
        common[part] = one.multiply(other).sum(axis=1)
    similarity: NDArray[np.float64] = common / (either - common)
    return similarity


def _sets(texts: Sequence[str]) -> csr_array:
    """Which shingles each text has, by a part of their hashes, (texts, hashes)."""
    hashes, offsets = shingles(texts)
    starts = offsets.astype(np.int64)
    text = np.repeat(np.arange(len(texts), dtype=np.uint64), starts[1:] - starts[:-1])
    found = np.sort(text << np.uint64(HASH_BITS) | hashes >> np.uint64(64 - HASH_BITS))
    found = np.concatenate([found[:1], found[1:][found[1:] != found[:-1]]])  # np.unique would take far longer
    sizes = np.bincount(found >> np.uint64(HASH_BITS), minlength=len(texts))
    columns = (found & np.uint64((1 << HASH_BITS) - 1)).astype(np.int64)
    ends = np.concatenate([[0], sizes.cumsum()])
    return csr_array((np.ones(len(found), np.int32), columns, ends), shape=(len(texts), 1 << HASH_BITS))


def _padded(text: str) -> str:
    return f" {text} ".ljust(LENGTH)


def _hashes(characters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of the LENGTH characters from each one on; of the last ones it has no meaning."""
    hashes = np.zeros(len(characters), dtype=np.uint64)
    for ahead in range(LENGTH):
        hashes = (hashes + np.roll(characters, -ahead)) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes
