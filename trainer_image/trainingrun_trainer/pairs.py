"""Rows of texts that belong together, on disk: without duplicates, and divided into two parts.

What is kept of each in memory is small and always the same."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .corpus import AT_ONCE, Corpus, Rows, Texts
from .errors import DataError
from .records import Example, Pair
from .split import places

LARGEST_GROUP = 0.5
"""Share of the rows from which on they can't be divided so that they share no text."""

Groups = NDArray[np.integer]
"""A number for each row, (rows,), the same for those that stay together."""


@dataclass(frozen=True, eq=False)
class Pairs(Sequence[Pair]):
    """Pairs or triplets, read when they are asked for."""

    corpus: Corpus
    """The texts, those of a row one after the other."""
    width: int
    """Texts of a row."""
    rows: Rows
    """Which of the corpus' rows these are, (rows,)."""
    scores: NDArray[np.float64] | None
    """How much the two texts of each are alike, (rows,); None where they belong together."""

    @classmethod
    def of(cls, rows: Iterable[Pair]) -> Self:
        """Write rows as they come: at least one, all with as many texts, all with a score or none."""
        scores = array("d")
        widths = set[int]()

        def texts() -> Iterator[Example]:
            for row in rows:
                widths.add(len(row.texts))
                scores.extend([] if row.score is None else [row.score])
                yield from (Example(text, (), source=row.source) for text in row.texts)

        corpus = Corpus.store(texts())
        (width,) = widths
        return cls(corpus, width, np.arange(len(corpus) // width), np.array(scores) if scores else None)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Pair | Self:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return next(iter(self.take(np.arange(len(self))[[index]])))

    def __iter__(self) -> Iterator[Pair]:
        for start in range(0, len(self), AT_ONCE):
            yield from self._read(self[start : start + AT_ONCE])

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> Self:
        """Those at some positions, or where a mask (rows,) says so."""
        scores = None if self.scores is None else self.scores[chosen]
        return type(self)(self.corpus, self.width, self.rows[chosen], scores)

    def column(self, index: int) -> Texts:
        """First texts (0), near or second ones (1), far ones (2)."""
        return Texts(self.corpus, self.rows * self.width + index)

    def texts(self) -> Texts:
        """All texts, those of a row one after the other."""
        return Texts(self.corpus, (self.rows[:, None] * self.width + np.arange(self.width)).ravel())

    @property
    def keys(self) -> NDArray[np.uint64]:
        """`text_key` of each text, (rows, width, 2)."""
        return self.corpus.keys.reshape(-1, self.width, 2)[self.rows]

    @property
    def duplicates(self) -> Rows:
        """A number for each text, (rows, width), the same for duplicates of it in all rows of the corpus."""
        return self.corpus.first_duplicates.reshape(-1, self.width)[self.rows]

    def source_counts(self) -> Counter[str]:
        """How many rows come from each source."""
        return self.column(0).source_counts()

    def _read(self, part: Self) -> Iterator[Pair]:
        examples = list(part.texts())
        scores = [None] * len(part) if part.scores is None else part.scores.tolist()
        for number, score in enumerate(scores):
            row = examples[number * self.width : (number + 1) * self.width]
            yield Pair(tuple(example.text for example in row), score, row[0].source)


@dataclass(frozen=True)
class PairSplits:
    """Rows to train on and rows to evaluate on; no row is in both."""

    training: Pairs
    evaluation: Pairs
    texts_shared: bool
    """True where both have texts in common, since too many rows hang together."""


@dataclass(frozen=True)
class DistinctPairs:
    """Each row of texts once, and how many duplicates there were besides."""

    rows: Pairs
    duplicates: int
    """Duplicates with the score of the first."""
    conflicts: int
    """Duplicates with another score."""


def deduplicate_pairs(rows: Pairs) -> DistinctPairs:
    """Keep the first of each row's duplicates, with the mean of their scores.

    Duplicates have texts of the same key (`text_key`); of scored pairs also in the other order.
    """
    texts = rows.duplicates if rows.scores is None else np.sort(rows.duplicates, axis=1)
    _, first, duplicate = np.unique(texts, axis=0, return_index=True, return_inverse=True)
    chosen = np.sort(first)
    kept = rows.take(chosen)
    if rows.scores is None:
        return DistinctPairs(kept, len(rows) - len(kept), 0)
    conflicts = int(np.count_nonzero(rows.scores != rows.scores[first[duplicate]]))
    means = np.bincount(duplicate, rows.scores) / np.bincount(duplicate)
    kept = replace(kept, scores=means[duplicate[chosen]])
    return DistinctPairs(kept, len(rows) - len(kept) - conflicts, conflicts)


def split_pairs(rows: Pairs, train_percent: int, seed: int) -> PairSplits:
    """Divide rows so that no text stands on both sides: the same rows and seed always give the same parts.

    Rows that hang together by texts they share go to one side as a whole. Where more than LARGEST_GROUP of
    all rows do, only first texts don't stand on both sides. Groups are ordered by a hash of seed and content.
    Raises DataError when there is nothing to evaluate on.
    """
    connected = _connected(rows)
    linked = np.bincount(connected).max() > LARGEST_GROUP * len(rows)
    numbers, group = np.unique(rows.duplicates[:, 0] if linked else connected, return_inverse=True)
    if len(numbers) < 2:
        raise DataError(
            f"all {len(rows)} rows have the same first text, so there is nothing to evaluate on: add rows, "
            "or name the fields of the texts in spec.dataset.textField and pairField"
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
    leaked, _ = np.nonzero(np.isin(learned.duplicates, evaluated.duplicates))
    kept = learned.take(np.setdiff1d(np.arange(len(learned)), leaked))
    if not len(kept):
        raise DataError(
            "each row of spec.dataset holds a text of spec.evaluationDataset, so there is nothing to train on"
        )
    return PairSplits(kept, evaluated, texts_shared=False), len(learned) - len(kept)


def _connected(rows: Pairs) -> Groups:
    """Groups of rows with no text in common between them."""
    duplicates = rows.duplicates
    heads, tails = np.repeat(duplicates[:, 0], rows.width - 1), duplicates[:, 1:].ravel()
    texts = len(rows.corpus)
    links = coo_array((np.ones(len(heads), np.int8), (heads, tails)), shape=(texts, texts))
    group: Groups = connected_components(links, directed=False)[1][duplicates[:, 0]]
    return group
