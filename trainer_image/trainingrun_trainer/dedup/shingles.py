"""Character n-grams of texts: what near-copies have in common."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTH = 4
"""Characters of a shingle: words of all languages fall into several, and a typing error spoils few."""

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


def _padded(text: str) -> str:
    return f" {text} ".ljust(LENGTH)


def _hashes(characters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of the LENGTH characters from each one on; of the last ones it has no meaning."""
    hashes = np.zeros(len(characters), dtype=np.uint64)
    for ahead in range(LENGTH):
        hashes = (hashes + np.roll(characters, -ahead)) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes
