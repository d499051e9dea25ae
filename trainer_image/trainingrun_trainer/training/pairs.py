"""Learning from rows of texts: scored pairs, or pairs and triplets of what belongs together."""

import math
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers.sentence_transformer.losses import CoSENTLoss, MultipleNegativesRankingLoss
from torch import Tensor, nn
from xxhash import xxh3_64_intdigest

from trainingrun_api.metrics import DataKind, Scores, stopping_metrics

from ..distributed import Share, at_first, gather_rows
from ..evaluation import Embeddings, ranking_accuracy, spearman
from ..model import Embedder
from ..tokens import TokenIds
from .batches import Batch, BatchLoader, Dealt, EpochSampler, LengthGroups, LongestFirst, Padding, loader
from .objective import HeadStart, Objective, Outcome
from .passes import finite, gathered, infer, loss_of_all

LOOKAHEAD = 64
"""Batches that a row is tried in before it goes where one of its texts is already."""

ROWS_COMPARED = 32
"""Rows that the evaluation loss compares with each other, whatever the batch size, so that runs compare."""


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


class DistinctTexts(EpochSampler):
    """Batches in which no text stands twice, as far as that can be.

    A row's near text counts as far from all other rows of its batch, so one that stands there twice would be
    told from itself.
    """

    def __init__(self, texts: EncodedColumns, batch_size: int, seed: int) -> None:
        keys = [np.fromiter(map(_key, column), np.uint64, len(column)) for column in texts.columns]
        self._texts = np.stack(keys, axis=1)
        super().__init__(math.ceil(len(self._texts) / batch_size), seed)
        self._batch_size = batch_size

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


def _collate(model: Padding, texts: EncodedColumns, own: Share) -> Callable[[list[int]], Batch]:
    def padded(batch: list[int]) -> Batch:
        rows = own.of(batch)
        columns = [model.pad([column[row] for row in rows]) for column in texts.columns]
        scores = torch.from_numpy(texts.scores[rows].astype(np.float32))
        return Batch(columns, scores, torch.tensor(rows), len(batch), own.count(len(batch)) / len(batch))

    return padded


class PairObjective(Objective):
    """Rows of texts; what is wanted of them is for the two kinds to say. The loss is of whole batches."""

    divisible = False

    def __init__(self, embedder: Embedder, training: EncodedColumns, evaluation: EncodedColumns) -> None:
        self.network = embedder.network
        self._embedder = embedder
        self._training = training
        self._evaluation = evaluation
        self._loss = self.loss_function()

    def head_parameters(self) -> Iterator[nn.Parameter]:
        return iter(())

    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """`batch_size` rows in a batch."""
        sampler = self.sampler(self._training, batch_size, seed)
        return loader(sampler, _collate(self._embedder, self._training, Share.own()))

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        sampler = LongestFirst(self._evaluation.lengths, batch_size)
        return loader(Dealt(sampler), _collate(self._embedder, self._evaluation, Share()))

    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        return HeadStart()

    def loss(self, batch: Batch) -> Tensor:
        """Of the batch as a whole, in nats."""
        scores = gather_rows(batch.targets, batch.total)
        return loss_of_all(
            self.network,
            batch,
            self._embedded,
            lambda *columns: self._loss.compute_loss_from_embeddings(list(columns), scores),
        )

    def evaluate(self, batches: Iterable[Batch]) -> Outcome[list[Embeddings]] | None:
        """The mean loss of ROWS_COMPARED rows at a time, and the score of the kind."""
        self.network.eval()
        _, *columns = gathered(infer(self.network, batches, self._rows_and_embeddings))
        return at_first(lambda: self._outcome(columns))

    def _rows_and_embeddings(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch.rows, *self._embedded(batch))

    def _outcome(self, columns: list[Tensor]) -> Outcome[list[Embeddings]]:
        loss = finite(self._mean_loss(columns), "the evaluation loss")
        return self.outcome(loss, [column.numpy() for column in columns])

    def _embedded(self, batch: Batch) -> list[Tensor]:
        return [self._embedder.embed(column).float() for column in batch.columns]

    def _mean_loss(self, columns: list[Tensor]) -> float:
        scores = torch.from_numpy(self._evaluation.scores)
        parts = zip(*(torch.split(values, ROWS_COMPARED) for values in (scores, *columns)), strict=True)
        losses = [
            len(part) * float(self._loss.compute_loss_from_embeddings(embeddings, part))
            for part, *embeddings in parts
        ]
        return sum(losses) / len(scores)

    @abstractmethod
    def loss_function(self) -> CoSENTLoss | MultipleNegativesRankingLoss:
        """The loss of sentence-transformers."""

    @abstractmethod
    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> EpochSampler:
        """Which rows stand together in a batch."""

    @abstractmethod
    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome[list[Embeddings]]:
        """Scores of one pass; a matrix for each column, in the order of the evaluation rows."""


class ScoredPairs(PairObjective):
    """Pairs of texts and how much they are alike: the cosine is to order them as the scores do.

    CoSENT (Huang et al., TASLP 2024), in nats; only the order of the scores matters, not their range.
    """

    metrics: ClassVar = stopping_metrics(DataKind.SCORED_PAIRS)

    def loss_function(self) -> CoSENTLoss:
        return CoSENTLoss(self._embedder.network)

    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> EpochSampler:
        """Rows of like length."""
        return LengthGroups(texts.lengths, batch_size, seed)

    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome[list[Embeddings]]:
        """Rank correlation of cosine and score."""
        scores = Scores(spearman=spearman(embeddings[0], embeddings[1], self._evaluation.scores))
        return Outcome(loss=loss, scores=scores, output=embeddings)


class RankedTexts(PairObjective):
    """Pairs of texts that belong together, or triplets with a third that the first is to be told from.

    Each first text is to be nearer to its near text than to all other near and far texts of the batch.
    """

    metrics: ClassVar = stopping_metrics(DataKind.RANKED_TEXTS)

    def loss_function(self) -> MultipleNegativesRankingLoss:
        """In the usual direction, from first texts to near ones."""
        return MultipleNegativesRankingLoss(self._embedder.network)

    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> EpochSampler:
        """Rows that share no text."""
        return DistinctTexts(texts, batch_size, seed)

    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome[list[Embeddings]]:
        """Share of rows whose near text is the nearest."""
        scores = Scores(accuracy=ranking_accuracy(embeddings))
        return Outcome(loss=loss, scores=scores, output=embeddings)
