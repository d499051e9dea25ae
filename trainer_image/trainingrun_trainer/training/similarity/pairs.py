"""Learning from texts that are compared: scored pairs, or pairs and triplets of what belongs together."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
import torch
from sentence_transformers.sentence_transformer.losses import CoSENTLoss, MultipleNegativesRankingLoss
from torch import Tensor, nn
from torch.utils.data import Sampler

from trainingrun_api.metrics import DataKind, Scores, stopping_metrics

from ...evaluation import Embeddings, ranking_accuracy, spearman
from ..batches import Batch, BatchLoader
from ..divergence import finite
from ..objective import HeadStart, Objective, Outcome
from ..passes import infer
from .columns import (
    DistinctTexts,
    EncodedColumns,
    by_length,
    column_batches,
    evaluation_batches,
    evaluation_order,
)
from .contrast import Embedder

ROWS_COMPARED = 32
"""Rows that the evaluation loss compares with each other, whatever the batch size, so that runs compare."""


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
        """None: there is no head."""
        return iter(())

    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """`batch_size` rows in a batch."""
        return column_batches(self._embedder, self._training, self.sampler(self._training, batch_size, seed))

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        """Batches in `evaluation_order`."""
        return evaluation_batches(self._embedder, self._evaluation, batch_size)

    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        """There is none; training starts from the base model."""
        return HeadStart()

    def loss(self, batch: Batch) -> Tensor:
        """Of the batch as a whole, in nats."""
        value: Tensor = self._loss(batch.columns, batch.targets)
        return value

    def evaluate(self, batches: Iterable[Batch]) -> Outcome:
        """The mean loss of ROWS_COMPARED rows at a time, and the score of the kind."""
        self.network.eval()
        back = np.argsort(evaluation_order(self._evaluation))
        found = zip(*infer(batches, self._embedded), strict=True)
        columns = [torch.cat(parts)[back] for parts in found]
        loss = finite(self._mean_loss(columns), "the evaluation loss")
        return self.outcome(loss, [column.cpu().numpy() for column in columns])

    def _embedded(self, batch: Batch) -> list[Tensor]:
        """Embeddings of each column."""
        return [self._embedder.embed(column).float() for column in batch.columns]

    def _mean_loss(self, columns: list[Tensor]) -> float:
        scores = torch.from_numpy(self._evaluation.scores).to(columns[0].device)
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
    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> Sampler[list[int]]:
        """Which rows stand together in a batch."""

    @abstractmethod
    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome:
        """Scores of one pass; a matrix for each column, in the order of the evaluation rows."""


class ScoredPairs(PairObjective):
    """Pairs of texts and how much they are alike: the cosine is to order them as the scores do.

    CoSENT (Huang et al., TASLP 2024), in nats; only the order of the scores matters, not their range.
    """

    metrics: ClassVar = stopping_metrics(DataKind.SCORED_PAIRS)

    def loss_function(self) -> CoSENTLoss:
        """CoSENT."""
        return CoSENTLoss(self._embedder.network)

    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> Sampler[list[int]]:
        """Rows of like length."""
        return by_length(texts, batch_size, seed)

    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome:
        """Rank correlation of cosine and score."""
        scores = Scores(spearman=spearman(embeddings[0], embeddings[1], self._evaluation.scores))
        return Outcome(loss=loss, scores=scores, embeddings=tuple(embeddings))


class RankedTexts(PairObjective):
    """Pairs of texts that belong together, or triplets with a third that the first is to be told from.

    Each first text is to be nearer to its near text than to all other near and far texts of the batch.
    """

    metrics: ClassVar = stopping_metrics(DataKind.RANKED_TEXTS)

    def loss_function(self) -> MultipleNegativesRankingLoss:
        """In the usual direction, from first texts to near ones."""
        return MultipleNegativesRankingLoss(self._embedder.network)

    def sampler(self, texts: EncodedColumns, batch_size: int, seed: int) -> Sampler[list[int]]:
        """Rows that share no text."""
        return DistinctTexts(texts, batch_size, seed)

    def outcome(self, loss: float, embeddings: list[Embeddings]) -> Outcome:
        """Share of rows whose near text is the nearest."""
        scores = Scores(accuracy=ranking_accuracy(embeddings))
        return Outcome(loss=loss, scores=scores, embeddings=tuple(embeddings))
