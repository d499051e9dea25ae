"""Batches of texts of like length: little padding, and an order that seed and epoch fix."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ..model import Features
from ..records import EncodedTexts


class Batch(NamedTuple):
    """Rows to train or evaluate on, as sentence-transformers' losses take them.

    Accelerate places the tensors of a named tuple on the device.
    """

    columns: list[Features]
    """The tokenizer's features of each column of texts; a classifier reads one."""
    targets: Tensor
    """What the task wants of each row, (rows, ...)."""
    rows: Tensor
    """Where each row stands in its part, (rows,)."""

    def parts(self, count: int) -> list["Batch"]:
        """The batch in at most `count` parts of like size."""
        size = math.ceil(len(self.targets) / count)
        return [self._rows(start, start + size) for start in range(0, len(self.targets), size)]

    def _rows(self, start: int, end: int) -> "Batch":
        columns = [{name: value[start:end] for name, value in column.items()} for column in self.columns]
        return Batch(columns, self.targets[start:end], self.rows[start:end])


class Padding(Protocol):
    """A model that makes a batch of token ids of different lengths."""

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        """One batch, padded to its longest text."""


BatchLoader = DataLoader[Any]
"""Gives a Batch each time: torch types a loader by its data set, not by what is collated."""

GROUP_BATCHES = 16
"""Batches that are cut from one group of texts sorted by length: enough that padding nearly vanishes, and few
enough that texts still meet other texts in each epoch."""


class EncodedText(NamedTuple):
    """A tokenised text."""

    input_ids: list[int]
    context_start: int | None
    """Tokens before those of the context, where the model is told."""
    target: NDArray[np.int64]
    """What is wanted of it: one row of `Targets`, in full width."""
    row: int
    """Where it stands in its part."""


class TextDataset(Dataset[EncodedText]):
    """Token ids and targets of each text."""

    def __init__(self, texts: EncodedTexts) -> None:
        self._texts = texts

    def __getitem__(self, index: int) -> EncodedText:
        starts = self._texts.context_starts
        start = None if starts is None else int(starts[index])
        return EncodedText(
            self._texts.input_ids[index], start, self._texts.targets[index].astype(np.int64), index
        )

    def __len__(self) -> int:
        return len(self._texts.targets)


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
    return DataLoader(TextDataset(texts), batch_sampler=sampler, collate_fn=collate(model))


def longest_first(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of rows of these lengths, so ordered that what doesn't fit into memory shows at once."""
    order: NDArray[np.int64] = np.argsort(-lengths, kind="stable")
    return order


def longest_batches(
    rows: Dataset[Any], lengths: NDArray[np.int64], batch_size: int, collate_fn: Callable[[Any], Batch]
) -> BatchLoader:
    """Batches of all rows, in the order of `longest_first`."""
    order = longest_first(lengths).tolist()
    return DataLoader(rows, batch_size=batch_size, sampler=order, collate_fn=collate_fn)


def evaluation_batches(model: Padding, texts: EncodedTexts, batch_size: int) -> BatchLoader:
    """`longest_batches` of texts."""
    return longest_batches(TextDataset(texts), texts.input_ids.lengths, batch_size, collate(model))


def collate(model: Padding) -> Callable[[list[EncodedText]], Batch]:
    """What makes a batch of the rows of a TextDataset."""

    def padded(texts: list[EncodedText]) -> Batch:
        starts = [text.context_start for text in texts if text.context_start is not None]
        features = model.pad([text.input_ids for text in texts], starts or None)
        targets = torch.from_numpy(np.stack([text.target for text in texts]))
        return Batch([features], targets, torch.tensor([text.row for text in texts]))

    return padded
