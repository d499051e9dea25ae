"""Pairs of texts with one label, in batches where each pair meets pairs of other labels."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


class LabelPairs(Sampler[list[int]]):
    """Batches of text indices, fixed by seed and epoch: first and second text of a pair follow each other.

    A batch is made of groups of `group` pairs; within its group a pair is the only one of its label. All
    labels come about equally often, whatever their counts, and within a label all texts. The only text of a
    label is paired with itself, which dropout makes two (SimCSE, arXiv:2104.08821).
    """

    def __init__(self, targets: Sequence[int], pairs: int, batches: int, seed: int) -> None:
        """`pairs` in a batch at most, a whole number of groups; `batches` in an epoch."""
        order = np.argsort(targets, kind="stable")
        _, starts = np.unique(np.asarray(targets)[order], return_index=True)
        self._texts = [part.tolist() for part in np.split(order, starts[1:])]
        self.group = max(min(len(self._texts), pairs), 1)
        self._groups = max(pairs // self.group, 1)
        self._batches = batches
        self._seed = seed
        self._epoch = 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng([self._seed, self._epoch])
        labels = _without_end(range(len(self._texts)), random)
        texts = [_without_end(texts, random) for texts in self._texts]
        for _ in range(self._batches):
            drawn = [label for _ in range(self._groups) for label in _distinct(labels, self.group)]
            yield [next(texts[label]) for label in drawn for _ in range(2)]


def _without_end(items: Sequence[int], random: np.random.Generator) -> Iterator[int]:
    """All items in random order, then again in another."""
    while True:
        yield from random.permutation(items).tolist()


def _distinct(labels: Iterator[int], count: int) -> list[int]:
    """The next labels, without those that come twice where one order ends and the next begins."""
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[next(labels)] = None
    return list(drawn)
