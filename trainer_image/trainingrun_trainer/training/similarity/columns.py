"""Batches of rows of several texts: pairs, or triplets."""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler
from xxhash import xxh3_64_intdigest

from ...tokens import TokenIds
from ..batches import Batch, BatchLoader, LengthGroups, Padding

LOOKAHEAD = 64
"""Batches that a row is tried in before it goes where one of its texts is already."""


@dataclass(frozen=True)
class EncodedColumns:
    """Tokenised texts, and the score of each row."""

    columns: list[TokenIds]
    """Token ids, [column][row]: first texts, near texts and, of triplets, far texts."""
    scores: NDArray[np.float64]
    """How much the first two texts of a row are alike, (rows,); zeros where nobody says."""
    truncated: int
    """Texts that were cut."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, (rows,)."""
        total: NDArray[np.int64] = np.sum([column.lengths for column in self.columns], axis=0)
        return total


ColumnRow = tuple[list[list[int]], float, int]


class ColumnDataset(Dataset[ColumnRow]):
    """Token ids and score of each row, and where it stands."""

    def __init__(self, texts: EncodedColumns) -> None:
        self._texts = texts

    def __getitem__(self, index: int) -> ColumnRow:
        return [column[index] for column in self._texts.columns], float(self._texts.scores[index]), index

    def __len__(self) -> int:
        return len(self._texts.scores)


class DistinctTexts(Sampler[list[int]]):
    """Batches fixed by seed and epoch, in which no text stands twice, as far as that can be.

    A row's near text counts as far from all other rows of its batch, so one that stands there twice would be
    told from itself.
    """

    def __init__(self, texts: EncodedColumns, batch_size: int, seed: int) -> None:
        keys = [np.fromiter(map(_key, column), np.uint64, len(column)) for column in texts.columns]
        self._texts = np.stack(keys, axis=1)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self._texts) / self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        left = len(self)
        filling: list[_Filling] = []
        for index in np.random.default_rng([self._seed, self._epoch]).permutation(len(self._texts)):
            while left and len(filling) < LOOKAHEAD:
                filling.append(_Filling())
                left -= 1
            texts = self._texts[index].tolist()
            fitting = (batch for batch in filling if batch.texts.isdisjoint(texts))
            batch = next(fitting, filling[0])
            batch.rows.append(int(index))
            batch.texts.update(texts)
            if len(batch.rows) == self._batch_size:
                filling.remove(batch)
                yield batch.rows
        yield from (batch.rows for batch in filling)


@dataclass(eq=False)
class _Filling:
    """A batch that has room."""

    rows: list[int] = field(default_factory=list)
    texts: set[int] = field(default_factory=set)


def _key(ids: Sequence[int]) -> int:
    return xxh3_64_intdigest(array("i", ids))


def column_batches(model: Padding, texts: EncodedColumns, sampler: Sampler[list[int]]) -> BatchLoader:
    """The rows of `texts` in the batches of `sampler`."""
    return DataLoader(ColumnDataset(texts), batch_sampler=sampler, collate_fn=_collate(model))


def by_length(texts: EncodedColumns, batch_size: int, seed: int) -> LengthGroups:
    """Batches of rows of like length."""
    return LengthGroups(texts.lengths, batch_size, seed)


def evaluation_batches(model: Padding, texts: EncodedColumns, batch_size: int) -> BatchLoader:
    """Batches in `evaluation_order`."""
    return DataLoader(
        ColumnDataset(texts),
        batch_size=batch_size,
        sampler=evaluation_order(texts).tolist(),
        collate_fn=_collate(model),
    )


def evaluation_order(texts: EncodedColumns) -> NDArray[np.int64]:
    """Indices by length, longest first, so that what doesn't fit into memory shows at once."""
    order: NDArray[np.int64] = np.argsort(-texts.lengths, kind="stable")
    return order


def _collate(model: Padding) -> Callable[[Sequence[ColumnRow]], Batch]:
    def padded(rows: Sequence[ColumnRow]) -> Batch:
        ids, scores, places = zip(*rows, strict=True)
        columns = [model.pad(list(column)) for column in zip(*ids, strict=True)]
        return Batch(columns, torch.tensor(scores, dtype=torch.float32), torch.tensor(places))

    return padded
