"""Contrastive learning from labels: texts of one label are near, texts of others far."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Protocol

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch import Tensor, nn
from torch.utils.data import DataLoader

from trainingrun_api.metrics import DataKind, Scores, stopping_metrics

from ...evaluation import LabelledEmbeddings, average_precision
from ...model import Features
from ...records import EncodedTexts
from ..batches import Batch, BatchLoader, TextDataset, collate, evaluation_batches, evaluation_order
from ..divergence import finite
from ..objective import HeadStart, Objective, Outcome
from ..passes import infer
from .sampling import LabelPairs

EVALUATION_PAIRS = 32
"""Pairs that the evaluation loss compares with each other, whatever the batch size, so that runs compare."""


MIN_STEPS = 20
"""Steps of an epoch at least."""


class Embedder(Protocol):
    """A model that gives texts embeddings."""

    network: SentenceTransformer

    def embed(self, features: Features) -> Tensor:
        """Text embeddings, (texts, dimensions)."""

    def pad(self, input_ids: list[list[int]], context_starts: Sequence[int] | None = None) -> Features:
        """One batch, padded to its longest text."""


def embed_texts(embedder: Embedder, texts: EncodedTexts, batches: Iterable[Batch]) -> Tensor:
    """Embeddings in the order of `texts`, (texts, dimensions); `batches` in `evaluation_order`."""
    found = torch.cat(list(infer(batches, lambda batch: embedder.embed(batch.columns[0]).float())))
    return found[np.argsort(evaluation_order(texts))]


class LabelContrast(Objective):
    """Labelled texts; each text of a pair is told from all texts of the other pairs of its group.

    The loss is MultipleNegativesRankingLoss in all four directions (GTE, arXiv:2308.03281), in nats per pair.
    """

    divisible = False

    metrics: ClassVar = stopping_metrics(DataKind.LABELLED_TEXTS)

    def __init__(
        self,
        embedder: Embedder,
        training: EncodedTexts,
        evaluation: EncodedTexts,
        steps: int | None = None,
    ) -> None:
        """`steps` are those of an epoch; left out, as many as draw the number of texts there are, but at
        least MIN_STEPS: few texts make many pairs.
        """
        self.network = embedder.network
        self._embedder = embedder
        self._training = training
        self._evaluation = evaluation
        self._steps = steps
        self._loss = MultipleNegativesRankingLoss(
            embedder.network,
            directions=("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"),
        )

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """None: a classifier's head, where there is one, takes no part."""
        return iter(())

    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """`batch_size` pairs in a batch."""
        steps = self._steps or max(_passing(self._training, batch_size), MIN_STEPS)
        sampler = _pairs(self._training, batch_size, steps, seed)
        return DataLoader(
            TextDataset(self._training), batch_sampler=sampler, collate_fn=collate(self._embedder)
        )

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        """Batches in `evaluation_order`."""
        return evaluation_batches(self._embedder, self._evaluation, batch_size)

    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        """There is none; training starts from the base model."""
        return HeadStart()

    def loss(self, batch: Batch) -> Tensor:
        """Mean over pairs, in nats."""
        embeddings = self._embedder.embed(batch.columns[0]).float()
        group = min(len(set(self._training.targets)), len(embeddings) // 2)
        return self._contrast(embeddings, group)

    def evaluate(self, batches: Iterable[Batch]) -> Outcome:
        """The loss of a fixed draw of pairs, and average precision."""
        self.network.eval()
        embeddings = embed_texts(self._embedder, self._evaluation, batches)
        steps = _passing(self._evaluation, EVALUATION_PAIRS)
        draws = _pairs(self._evaluation, EVALUATION_PAIRS, steps, seed=0)
        losses = [float(self._contrast(embeddings[draw], draws.group)) for draw in draws]
        loss = finite(sum(losses) / len(losses), "the evaluation loss")
        matrix, targets = embeddings.cpu().numpy(), np.asarray(self._evaluation.targets)
        return Outcome(
            loss=loss,
            scores=Scores(average_precision=average_precision(LabelledEmbeddings(matrix, targets))),
            embeddings=(matrix,),
        )

    def _contrast(self, embeddings: Tensor, group: int) -> Tensor:
        first, second = torch.split(embeddings[0::2], group), torch.split(embeddings[1::2], group)
        losses = [
            self._loss.compute_loss_from_embeddings([one, other], torch.empty(0))
            for one, other in zip(first, second, strict=True)
        ]
        return torch.stack(losses).mean()


def _pairs(texts: EncodedTexts, pairs: int, batches: int, seed: int) -> LabelPairs:
    return LabelPairs(texts.targets.tolist(), pairs, batches, seed)


def _passing(texts: EncodedTexts, pairs: int) -> int:
    """Batches that draw as many texts as there are."""
    return math.ceil(len(texts.targets) / (2 * pairs))
