"""Contrastive learning from labels: texts of one label are near, texts of others far."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch import Tensor, nn

from trainingrun_api.metrics import DataKind, Scores, stopping_metrics

from ..distributed import Share, at_first
from ..errors import SettingsError
from ..evaluation import Embeddings, LabelledEmbeddings, average_precision
from ..model import Embedder
from ..records import EncodedTexts
from .batches import Batch, BatchLoader, EpochSampler, collate, evaluation_batches, loader
from .objective import HeadStart, Objective, Outcome
from .passes import finite, gathered, infer, loss_of_all

EVALUATION_PAIRS = 32
"""Pairs that the evaluation loss compares with each other, whatever the batch size, so that runs compare."""


LEAST_STEPS = 20
"""Steps of an epoch at least."""


STAGE_PASSES = 10
"""Times that few texts are drawn: with 8 texts in each of 150 classes of CLINC150 these are 188 steps. There,
200 steps at 1e-4 took logistic regression from 90.8% to 93.3%, and fine-tuning from there came to 94.0%;
without them to 93.1%, or 93.8% at 2e-4 (one seed, on texts of the training file that were not drawn)."""

LEAST_STAGE_STEPS, MOST_STAGE_STEPS = 50, 500
"""Fewer steps move little; more would cost as much as the fine-tuning that follows them."""

FEW_TEXTS = 16
"""Texts a label, on average, from which Auto leaves the stage out: it takes as long as a few epochs. Beside
noise it gains 0.7 points with 3, nothing with 8 and 0.2 with 40 (benchmarks/RESULTS-quality.md); with 8 and
without noise it gained something (see STAGE_PASSES)."""


class LabelPairs(EpochSampler):
    """Batches of text indices: first and second text of a pair follow each other.

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
        super().__init__(batches, seed)

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


def embed_texts(embedder: Embedder, batches: Iterable[Batch]) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of evaluation batches, and their embeddings, (rows, dimensions)."""
    return infer(
        embedder.network, batches, lambda batch: (batch.rows, embedder.embed(batch.columns[0]).float())
    )


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
        least LEAST_STEPS: few texts make many pairs.
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
        steps = self._steps or max(_passing(self._training, batch_size), LEAST_STEPS)
        sampler = _pairs(self._training, batch_size, steps, seed)
        return loader(sampler, collate(self._embedder, self._training, Share.own()))

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        return evaluation_batches(self._embedder, self._evaluation, batch_size)

    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        return HeadStart()

    def loss(self, batch: Batch) -> Tensor:
        """Mean over pairs, in nats."""
        group = min(len(set(self._training.targets)), batch.total // 2)
        return loss_of_all(
            self.network, batch, self._embedded, lambda embeddings: self._contrast(embeddings, group)
        )

    def _embedded(self, batch: Batch) -> list[Tensor]:
        return [self._embedder.embed(batch.columns[0]).float()]

    def evaluate(self, batches: Iterable[Batch]) -> Outcome[list[Embeddings]] | None:
        """The loss of a fixed draw of pairs, and average precision."""
        self.network.eval()
        _, embeddings = gathered(embed_texts(self._embedder, batches))
        return at_first(lambda: self._outcome(embeddings))

    def _outcome(self, embeddings: Tensor) -> Outcome[list[Embeddings]]:
        steps = _passing(self._evaluation, EVALUATION_PAIRS)
        draws = _pairs(self._evaluation, EVALUATION_PAIRS, steps, seed=0)
        losses = [float(self._contrast(embeddings[draw], draws.group)) for draw in draws]
        loss = finite(sum(losses) / len(losses), "the evaluation loss")
        matrix, targets = embeddings.numpy(), np.asarray(self._evaluation.targets)
        return Outcome(
            loss=loss,
            scores=Scores(average_precision=average_precision(LabelledEmbeddings(matrix, targets))),
            output=[matrix],
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


def stage_of(embedder: Embedder | None, texts: EncodedTexts, batch_size: int) -> LabelContrast:
    """The stage before classification: texts of one label come near each other, so that a head needs fewer.

    Raises SettingsError for a model whose texts can't be put beside each other.
    """
    if embedder is None:
        raise SettingsError(
            "spec.training.similarityStage is Always, but this base model has no pooling of "
            "sentence-transformers: choose another base model, or set Auto or Never"
        )
    return LabelContrast(embedder, texts, texts, stage_steps(len(texts.targets), batch_size))


def stage_steps(texts: int, batch_size: int) -> int:
    """Steps that draw all texts STAGE_PASSES times, `batch_size` pairs a step; few take more, many less."""
    return min(max(math.ceil(STAGE_PASSES * texts / (2 * batch_size)), LEAST_STAGE_STEPS), MOST_STAGE_STEPS)


def few_texts(texts: EncodedTexts) -> bool:
    """Whether these have fewer than FEW_TEXTS a label, on average; targets are label indices."""
    return len(texts.targets) < FEW_TEXTS * len(np.unique(texts.targets))
