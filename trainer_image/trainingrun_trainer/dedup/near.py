"""Near-duplicates: texts that have most of their shingles in common."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..corpus import AT_ONCE, Corpus, Rows
from ..records import normalised
from .shingles import ORDER_BITS, Keys, MinHashes, min_hashes, similarities

NEIGHBOURS = 32
"""Texts of its bucket that a text is compared with, before and after it."""

Groups = NDArray[np.int64]
"""A number for each text, (texts,), the same for those that belong together."""

IndexPairs = NDArray[np.int64]
"""Positions of two texts each, (2, pairs)."""


def near_groups(corpus: Corpus, rows: Rows, threshold: float) -> Groups:
    """Groups of near-duplicates, and near-duplicates of these, among the texts in `rows`,
    which are distinct.

    Texts whose MinHashes agree in all values of one band are in one bucket, next to those that they agree
    with in more. There each is compared with its NEIGHBOURS, first by sketch and, where sketches are alike,
    shingle by shingle, so that what is given is no estimate. Texts made from one template share buckets with
    many others that are not similar enough: hence so many neighbours, in this order.

    Memory grows by some 100 bytes a text, whatever its length; disk by 8 bytes for each band and 32 more.
    """
    groups = np.arange(len(rows))
    if not len(rows):
        return groups
    with min_hashes(corpus, rows, threshold) as hashes:
        for keys in hashes.all_keys():
            found = [np.zeros((2, 0), np.int64)]
            for pairs in _gathered(_likely(hashes, keys, groups)):
                near = _similarities(corpus, rows[pairs]) >= threshold
                found.append(_spanning(pairs[:, near]))
            groups = _joined(groups, np.concatenate(found, axis=1))
    return groups


def _likely(hashes: MinHashes, keys: Keys, groups: Groups) -> Iterator[IndexPairs]:
    """Neighbours that are in different groups and may be near-duplicates."""
    for pairs in _neighbours(keys):
        apart = pairs[:, groups[pairs[0]] != groups[pairs[1]]]
        yield apart[:, hashes.alike(*apart)]


def _neighbours(keys: Keys) -> Iterator[IndexPairs]:
    """Texts of one bucket that are at most NEIGHBOURS apart; each time those of the next AT_ONCE texts."""
    order = np.argsort(keys, kind="stable")
    buckets = keys[order] >> np.uint64(ORDER_BITS)
    for start in range(0, len(order), AT_ONCE):
        places = np.arange(start, min(start + AT_ONCE, len(order)))
        pairs = [np.zeros((2, 0), np.int64)]
        for distance in range(1, NEIGHBOURS + 1):
            places = places[: np.searchsorted(places, len(order) - distance)]
            places = places[buckets[places] == buckets[places + distance]]
            if not len(places):
                break
            pairs.append(order[[places, places + distance]])
        yield np.concatenate(pairs, axis=1)


def _gathered(some: Iterator[IndexPairs]) -> Iterator[IndexPairs]:
    """AT_ONCE or more together: texts are read fastest where many are asked for."""
    waiting = [np.zeros((2, 0), np.int64)]
    for pairs in some:
        waiting.append(pairs)
        if sum(part.shape[1] for part in waiting) >= AT_ONCE:
            yield np.concatenate(waiting, axis=1)
            waiting.clear()
    if waiting:
        yield np.concatenate(waiting, axis=1)


def _similarities(corpus: Corpus, pairs: IndexPairs) -> NDArray[np.float64]:
    """Of the texts in these rows, (pairs,)."""
    rows, places = np.unique(pairs, return_inverse=True)
    return similarities([normalised(text) for text in corpus.texts(rows)], places.reshape(pairs.shape))


def _spanning(pairs: IndexPairs) -> IndexPairs:
    """Pairs that join what these do, one for each text."""
    texts, ends = np.unique(pairs, return_inverse=True)
    component = _components(ends.reshape(pairs.shape), len(texts))
    _, first = np.unique(component, return_index=True)
    return np.stack([texts[first[component]], texts])


def _joined(groups: Groups, pairs: IndexPairs) -> Groups:
    """The groups after these pairs were found."""
    after: Groups = _components(groups[pairs], len(groups))[groups]
    return after


def _components(pairs: IndexPairs, count: int) -> Groups:
    ones = np.ones(pairs.shape[1], dtype=np.int8)
    _, components = connected_components(coo_array((ones, tuple(pairs)), shape=(count, count)))
    return np.asarray(components, dtype=np.int64)
