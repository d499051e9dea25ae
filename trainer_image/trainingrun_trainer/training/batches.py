"""Batches of texts of like length: little padding, and an order that seed and epoch fix.

However many processes train, a batch has the same rows. Each process has a share of every batch to train on,
and whole batches of those to evaluate, so that what comes of these is the same to the last bit.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ..distributed import Share, rank, size
from ..model import Features
from ..records import EncodedTexts


class Batch(NamedTuple):
    """This process's rows of a batch to train or evaluate on, as sentence-transformers' losses take them.

    Accelerate places the tensors of a named tuple on the device.
    """

    columns: list[Features]
    """The tokenizer's features of each column of texts; a classifier reads one."""
    targets: Tensor
    """What the task wants of each row, (rows, ...)."""
    rows: Tensor
    """Where each row stands in its part, (rows,)."""
    total: int
    """Rows of the batch, of all processes."""
    share: float
    """Of all these, what the rows here make; 0 where a batch has fewer rows than there are processes, and the
    row here is another's."""

    def parts(self, count: int) -> list["Batch"]:
        """The rows here in at most `count` parts of like size."""
        size = math.ceil(len(self.targets) / count)
        return [self._rows(start, start + size) for start in range(0, len(self.targets), size)]

    def _rows(self, start: int, end: int) -> "Batch":
        columns = [{name: value[start:end] for name, value in column.items()} for column in self.columns]
        targets = self.targets[start:end]
        share = self.share * len(targets) / len(self.targets)
        return Batch(columns, targets, self.rows[start:end], self.total, share)


class Padding(Protocol):
    """A model that makes a batch of token ids of different lengths."""

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        """One batch, padded to its longest text."""


BatchLoader = DataLoader[Any]
"""Gives a Batch each time: torch types a loader by its data set, not by what is collated."""

GROUP_BATCHES = 16
"""Batches that are cut from one group of texts sorted by length: enough that padding nearly vanishes, and few
enough that texts still meet other texts in each epoch."""


class EpochSampler(Sampler[list[int]]):
    """Batches of rows, fixed by seed and epoch."""

    def __init__(self, batches: int, seed: int) -> None:
        self._batches = batches
        self._seed = seed
        self._epoch = 1

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._batches


class LongestFirst(Sampler[list[int]]):
    """Batches of rows so ordered that what doesn't fit into memory shows at once; always the same."""

    def __init__(self, lengths: NDArray[np.int64], batch_size: int) -> None:
        self._order = np.argsort(-lengths, kind="stable")
        self._batch_size = batch_size

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self._order), self._batch_size):
            yield self._order[start : start + self._batch_size].tolist()


class Dealt(Sampler[list[int]]):
    """This process's of some batches, whole; a process that would have one less has one that is another's."""

    def __init__(self, batches: Sampler[list[int]], most: int | None = None) -> None:
        """`most` of them are dealt, in their order."""
        self._batches = batches
        self._most = most

    def set_epoch(self, epoch: int) -> None:
        if isinstance(self._batches, EpochSampler):
            self._batches.set_epoch(epoch)

    def __len__(self) -> int:
        batches = len(self._batches)  # type: ignore[arg-type]
        return math.ceil(min(batches, self._most or batches) / size())

    def __iter__(self) -> Iterator[list[int]]:
        batches = list(islice(self._batches, self._most))
        for turn in range(rank(), rank() + len(self) * size(), size()):
            yield batches[turn % len(batches)]


class LengthGroups(EpochSampler):
    """Shuffle, sort by length within groups, cut into batches, shuffle these."""

    def __init__(self, lengths: NDArray[np.int64], batch_size: int, seed: int) -> None:
        super().__init__(math.ceil(len(lengths) / batch_size), seed)
        self._lengths = lengths
        self._batch_size = batch_size

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        order = torch.randperm(len(self._lengths), generator=generator).numpy()
        group = self._batch_size * GROUP_BATCHES
        batches = [
            batch
            for start in range(0, len(order), group)
            for batch in self._cut(self._by_length(order[start : start + group]))
        ]
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[index].tolist()

    def _by_length(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        sorted_indices: NDArray[np.int64] = indices[np.argsort(self._lengths[indices], kind="stable")]
        return sorted_indices

    def _cut(self, indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        size = self._batch_size
        return [indices[start : start + size] for start in range(0, len(indices), size)]


def training_batches(model: Padding, texts: EncodedTexts, batch_size: int, seed: int) -> BatchLoader:
    """Batches to train on, in the order of the epoch that the loader is set to."""
    sampler = LengthGroups(texts.input_ids.lengths, batch_size, seed)
    return loader(sampler, collate(model, texts, Share.own()))


def some_training_batches(
    model: Padding, texts: EncodedTexts, batch_size: int, seed: int, most: int
) -> BatchLoader:
    """So many texts of these at most, in whole batches."""
    sampler = LengthGroups(texts.input_ids.lengths, batch_size, seed)
    return loader(Dealt(sampler, math.ceil(most / batch_size)), collate(model, texts, Share()))


def evaluation_batches(model: Padding, texts: EncodedTexts, batch_size: int) -> BatchLoader:
    """Whole batches of all texts, those first that don't fit into memory if any doesn't."""
    sampler = LongestFirst(texts.input_ids.lengths, batch_size)
    return loader(Dealt(sampler), collate(model, texts, Share()))


def loader(batches: Sampler[list[int]], collate: Callable[[list[int]], Batch]) -> BatchLoader:
    """What gives the batches of these rows, in pinned memory where there is a GPU, which copies from there
    while it computes."""
    pinned = torch.cuda.is_available()
    return DataLoader(_Rows(), batch_sampler=batches, collate_fn=collate, pin_memory=pinned)


class _Rows(Dataset[int]):
    """The data set is its rows' numbers: only those of a process's share are read, when they are collated."""

    def __getitem__(self, row: int) -> int:
        return row


def collate(model: Padding, texts: EncodedTexts, own: Share) -> Callable[[list[int]], Batch]:
    """What makes a share of a batch of rows of these texts."""
    starts = texts.context_starts

    def padded(batch: list[int]) -> Batch:
        rows = own.of(batch)
        context_starts = None if starts is None else [int(starts[row]) for row in rows]
        features = model.pad([texts.input_ids[row] for row in rows], context_starts)
        targets = torch.from_numpy(texts.targets[rows].astype(np.int64))
        return Batch([features], targets, torch.tensor(rows), len(batch), own.count(len(batch)) / len(batch))

    return padded
