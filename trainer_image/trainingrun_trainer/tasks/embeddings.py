"""Tasks that give texts embeddings: from labelled texts, or from pairs and triplets."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import numpy as np

from trainingrun_api.evaluation import Evaluation, SimilarityScores
from trainingrun_api.run_config import RunConfig

from ..base_model import BaseModelFolder
from ..evaluation import (
    Embeddings,
    LabelledEmbeddings,
    nearest_label_table,
    nearest_labels,
    pairs_table,
    score_labelled,
    score_pairs,
    score_ranked,
    score_sources,
)
from ..model import EmbeddingModel, embedding_card, load_embedding_model
from ..pairs import Pairs
from ..records import EncodedTexts, Example
from ..training import (
    EncodedColumns,
    LabelContrast,
    Objective,
    Outcome,
    PairObjective,
    RankedTexts,
    ScoredPairs,
    TrainState,
    embed_texts,
    evaluation_batches,
    gathered,
    on_device,
)
from .pairs import PairedTexts, load_pairs
from .task import Encoded, EvaluationResult, Task
from .texts import LabelledTexts, load_texts

Rows = TypeVar("Rows", EncodedTexts, EncodedColumns)

ONE_LABEL = (
    "TextSimilarity brings texts of one label near each other; leave each text one, or name a field that "
    "holds one in spec.dataset.labelField"
)
"""Why a text has one label alone, and what to change otherwise."""


@dataclass(frozen=True)
class EmbeddingTask(Task[EmbeddingModel, Rows, list[Embeddings]]):
    """Texts that belong together come near each other."""

    @property
    @abstractmethod
    def learned(self) -> Sequence[Example]:
        """All texts of the training split."""

    def load_model(self, base: BaseModelFolder) -> EmbeddingModel:
        config = self.config
        model = load_embedding_model(
            base.folder, base.resolved.source, allow_pickled=config.base_model.allow_pickled
        )
        model.limit_tokens(config.training.max_sequence_length, self.learned)
        return model

    def card(self, model: EmbeddingModel, evaluation: Evaluation) -> str:
        """Scores, and how to compare texts."""
        return embedding_card(evaluation, max_tokens=model.max_tokens)


@dataclass(frozen=True)
class LabelEmbeddingTask(EmbeddingTask[EncodedTexts]):
    """Texts of one label belong together."""

    data: LabelledTexts

    @classmethod
    def load(cls, config: RunConfig, folder: Path) -> Self:
        return cls(config, load_texts(config, folder, ONE_LABEL))

    @property
    def learned(self) -> Sequence[Example]:
        return self.data.splits.training

    def encode(self, model: EmbeddingModel) -> Encoded[EncodedTexts]:
        """Texts and the indices of their labels."""
        splits, labels = self.data.splits, self.data.labels
        return Encoded(model.encode(splits.training, labels), model.encode(splits.evaluation, labels))

    def objective(self, model: EmbeddingModel, rows: Encoded[EncodedTexts]) -> Objective:
        """Pairs of one label against those of others."""
        return LabelContrast(model, rows.training, rows.evaluation)

    def references(self, model: EmbeddingModel, rows: Encoded[EncodedTexts], state: TrainState) -> Embeddings:
        """Embeddings of the training split, (texts, dimensions)."""
        batches = evaluation_batches(model, rows.training, state.recipe_used.batch_size)
        _, embeddings = gathered(embed_texts(model, on_device(batches, state.accelerator)))
        return embeddings.numpy()

    def evaluate(
        self,
        rows: Encoded[EncodedTexts],
        state: TrainState,
        outcome: Outcome[list[Embeddings]],
        references: Embeddings,
    ) -> EvaluationResult:
        """Average precision, retrieval, and the nearest label, in all and by data set."""
        training = LabelledEmbeddings(references, rows.training.targets)
        evaluation = LabelledEmbeddings(outcome.output[0], rows.evaluation.targets)
        nearest = nearest_labels(training, evaluation)
        texts, labels = self.data.splits.evaluation, self.data.labels
        return EvaluationResult(
            outcome.loss,
            nearest_label_table(texts, labels, nearest),
            similarity=SimilarityScores(labels=score_labelled(nearest, evaluation, labels)),
            sources=score_sources(evaluation.targets, nearest, None, texts, self.config.source_names),
        )


@dataclass(frozen=True)
class PairEmbeddingTask(EmbeddingTask[EncodedColumns]):
    """Texts of a row belong together; how much is for the two kinds to say."""

    data: PairedTexts

    learns: ClassVar[type[PairObjective]]
    """What training goes by."""

    @classmethod
    def load(cls, config: RunConfig, folder: Path) -> Self:
        return cls(config, load_pairs(config, folder))

    @property
    def learned(self) -> Sequence[Example]:
        """First, near and far texts."""
        return self.data.splits.training.texts()

    def encode(self, model: EmbeddingModel) -> Encoded[EncodedColumns]:
        """Each column's texts, and the scores of the rows."""
        splits = self.data.splits
        return Encoded(_encode(model, splits.training), _encode(model, splits.evaluation))

    def objective(self, model: EmbeddingModel, rows: Encoded[EncodedColumns]) -> Objective:
        """The order of the scores, or near texts nearer than others."""
        return self.learns(model, rows.training, rows.evaluation)

    def evaluate(
        self,
        rows: Encoded[EncodedColumns],
        state: TrainState,
        outcome: Outcome[list[Embeddings]],
        references: None,
    ) -> EvaluationResult:
        table = pairs_table(self.data.splits.evaluation, outcome.output)
        scores = self.scores(outcome.output, rows.evaluation)
        return EvaluationResult(outcome.loss, table, similarity=scores)

    @abstractmethod
    def scores(self, matrices: list[Embeddings], rows: EncodedColumns) -> SimilarityScores:
        """Of a matrix of embeddings for each column of `rows`."""


@dataclass(frozen=True)
class ScoredPairsTask(PairEmbeddingTask):
    """Pairs with a score of how much they are alike."""

    learns = ScoredPairs

    def scores(self, matrices: list[Embeddings], rows: EncodedColumns) -> SimilarityScores:
        first, second = matrices
        return SimilarityScores(pairs=score_pairs(first, second, rows.scores))


@dataclass(frozen=True)
class RankedPairsTask(PairEmbeddingTask):
    """Pairs that belong together, or triplets."""

    learns = RankedTexts

    def scores(self, matrices: list[Embeddings], rows: EncodedColumns) -> SimilarityScores:
        return SimilarityScores(ranking=score_ranked(matrices))


def _encode(model: EmbeddingModel, rows: Pairs) -> EncodedColumns:
    columns = [model.encode_texts(rows.column(index)) for index in range(rows.width)]
    scores = np.zeros(len(rows)) if rows.scores is None else rows.scores
    return EncodedColumns([ids for ids, _ in columns], scores, sum(cut for _, cut in columns))
