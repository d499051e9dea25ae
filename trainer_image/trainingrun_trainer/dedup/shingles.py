"""Shingles of texts, character n-grams that near-duplicates have in common, and MinHashes of them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash
from scipy.sparse import csr_array
from scipy.special import bdtr

from ..corpus import AT_ONCE, Corpus, Rows
from ..records import normalised

LENGTH = 4
"""Characters of a shingle: words of all languages fall into several, and a typing error spoils few."""

HASH_BITS = 48
"""Of a shingle's hash, which tell it from those of another text when two are compared."""

SHINGLES_AT_ONCE = 1 << 20
"""Shingles of texts that are compared together."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

VALUES = 128
"""Numbers in the MinHash of a text: 512 bytes, of which only keys and sketch are kept, on disk."""

RECALL = 0.99
"""Of the pairs as similar as the threshold, at least so many share a bucket and have sketches alike."""

SKETCH_RECALL = 0.999
"""So many of these pairs have sketches alike."""

SKETCH_WORDS = 4
"""Of 64 bits: the lowest bits of all values, then their second lowest."""

ORDER_BITS = 24
"""Of a key, which say where in its bucket a text stands; the others are the bucket."""

SEED = 1

Keys = NDArray[np.uint64]
Values = NDArray[np.uint32]


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
    for part in np.split(
        np.arange(len(common)), np.flatnonzero(np.diff(either.cumsum() // SHINGLES_AT_ONCE)) + 1
    ):
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


@dataclass(frozen=True, eq=False)
class MinHashes:
    """What is kept of the MinHashes of texts."""

    sketches: NDArray[np.uint64]
    """(texts, SKETCH_WORDS), mapped from a file."""
    least_equal: int
    """Values that are equal in the sketches of texts that are alike."""
    bands: Sequence[IO[bytes]]
    """The keys of a band each."""

    def all_keys(self) -> Iterator[Keys]:
        """One band after the other, (texts,).

        Texts whose MinHashes agree in all values of the band are in one bucket. In the order of the keys they
        stand together, and in the bucket those side by side whose next values agree, too.
        """
        for file in self.bands:
            file.seek(0)
            yield np.fromfile(file, np.uint64)

    def alike(self, first: Rows, second: Rows) -> NDArray[np.bool_]:
        """Which of these pairs may be as similar as the threshold."""
        one, other = self.sketches.take(first, axis=0), self.sketches.take(second, axis=0)
        low, high = np.hsplit(one ^ other, 2)
        unequal = np.bitwise_count(low | high).sum(axis=1, dtype=np.int64)
        return np.asarray(unequal <= VALUES - self.least_equal)


@contextmanager
def min_hashes(corpus: Corpus, rows: Rows, threshold: float) -> Iterator[MinHashes]:
    """Of the texts in `rows`, at least one; on disk while the block runs."""
    length = band_length(threshold)
    with ExitStack() as stack:
        bands = [stack.enter_context(TemporaryFile(prefix="band-")) for _ in range(VALUES // length)]
        sketches = stack.enter_context(TemporaryFile(prefix="sketches-"))
        for start in range(0, len(rows), AT_ONCE):
            values = _values([normalised(text) for text in corpus.texts(rows[start : start + AT_ONCE])])
            _sketches(values).tofile(sketches)
            for file, keys in zip(bands, _keys(values, length), strict=True):
                keys.tofile(file)
        sketches.flush()
        mapped = np.memmap(sketches, np.uint64, "r", shape=(len(rows), SKETCH_WORDS))
        yield MinHashes(np.asarray(mapped), least_equal(threshold), bands)


def band_length(threshold: float) -> int:
    """Values in a band: as many as still find RECALL of the pairs that are as similar as `threshold`."""

    def recall(length: int) -> float:
        missed: float = (1 - threshold**length) ** (VALUES // length)
        return (1 - missed) * SKETCH_RECALL

    return max(length for length in range(1, VALUES + 1) if length == 1 or recall(length) >= RECALL)


def least_equal(threshold: float) -> int:
    """Values that are equal in SKETCH_RECALL of the sketches of pairs as similar as `threshold`."""
    equal = threshold + (1 - threshold) / 4  # a quarter of different values have the same two bits
    return max(n for n in range(VALUES + 1) if n == 0 or bdtr(n - 1, VALUES, equal) <= 1 - SKETCH_RECALL)


def _values(texts: list[str]) -> Values:
    """(texts, VALUES)."""
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(*shingles(texts), VALUES, SEED)
    return np.array(matrix.to_rows(), dtype=np.uint32)


def _sketches(values: Values) -> NDArray[np.uint64]:
    """(texts, SKETCH_WORDS)."""
    bits = np.concatenate([values & 1, values >> 1 & 1], axis=1, dtype=np.uint8, casting="unsafe")
    return np.packbits(bits, axis=1).view(np.uint64)


def _keys(values: Values, length: int) -> NDArray[np.uint64]:
    """(bands, texts)."""
    bands = VALUES // length
    total = np.zeros((len(values), bands), dtype=np.uint64)
    for value in np.moveaxis(values[:, : bands * length].reshape(-1, bands, length), 2, 0):
        total = (total ^ value) * _MULTIPLIER
        total ^= total >> np.uint64(32)
    total >>= np.uint64(ORDER_BITS)
    ends = np.arange(1, bands + 1) * length
    for after in range(ORDER_BITS // 2):
        total = total << np.uint64(2) | values[:, (ends + after) % VALUES].astype(np.uint64) & np.uint64(3)
    return np.ascontiguousarray(total.T)
