"""Rows of texts that are compared, on disk: what is kept of each in memory is small and always the same."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from .corpus import AT_ONCE, Corpus, Rows, Texts
from .records import Example, Pair


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
    def copies(self) -> Rows:
        """A number for each text, (rows, width), the same for copies of it in all rows of the corpus."""
        return self.corpus.first_copies.reshape(-1, self.width)[self.rows]

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
