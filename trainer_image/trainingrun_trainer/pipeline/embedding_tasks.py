"""What an embedding model learns from: labelled texts, or texts that are compared."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from trainingrun_api.evaluation import DataCounts, SimilarityScores

from ..data import FieldValues
from ..evaluation import (
    LabelledEmbeddings,
    comparisons_table,
    nearest_label_table,
    nearest_labels,
    score_labelled,
    score_pairs,
    score_ranked,
    score_sources,
)
from ..model import EmbeddingModel
from ..pairs import Pairs
from ..records import Example
from ..training import (
    EncodedColumns,
    LabelContrast,
    Objective,
    Outcome,
    RankedTexts,
    ScoredPairs,
    TrainState,
    embed_texts,
    evaluation_batches,
)
from .loading import PreparedData, load_data
from .pairs import load_pairs, require_one_kind
from .results import EvaluationResult
from .session import Run


class EmbeddingTask(ABC):
    """Data of one kind: what is learned from them, and how it is judged."""

    counts: DataCounts
    sha256: str
    labels: list[str]
    fields: Sequence[FieldValues]
    """What rows of the data set hold beside texts and labels."""

    @abstractmethod
    def texts(self) -> Sequence[Example]:
        """All texts that are trained on."""

    @abstractmethod
    def objective(self, model: EmbeddingModel) -> tuple[Objective, int]:
        """What training goes by, and how many texts are cut."""

    @abstractmethod
    def score(self, state: TrainState, outcome: Outcome) -> EvaluationResult:
        """All scores of the model as it is; `outcome` is its evaluation."""


def load_task(run: Run) -> EmbeddingTask:
    """The run's data, read, deduplicated and split.

    Raises SettingsError for data sets of different kinds, and DataError.
    """
    require_one_kind(run.config.all_sources)
    if run.config.dataset.pair_field is None:
        return LabelledTexts(load_data(run), run.config.source_names)
    return ComparedTexts(run)


class LabelledTexts(EmbeddingTask):
    """Texts of one label come near each other."""

    def __init__(self, prepared: PreparedData, sources: list[str]) -> None:
        self._splits, self._sources = prepared.splits, sources
        self.counts, self.sha256, self.labels = prepared.counts, prepared.sha256, prepared.splits.labels
        self.fields = prepared.fields

    def texts(self) -> Sequence[Example]:
        """Those of the training split."""
        return self._splits.training

    def objective(self, model: EmbeddingModel) -> tuple[Objective, int]:
        """Pairs of one label against those of others."""
        self._model = model
        self._training = model.encode(self._splits.training, self.labels)
        self._evaluation = model.encode(self._splits.evaluation, self.labels)
        objective = LabelContrast(model, self._training, self._evaluation)
        return objective, self._training.truncated + self._evaluation.truncated

    def score(self, state: TrainState, outcome: Outcome) -> EvaluationResult:
        """Average precision, retrieval, and the nearest label."""
        batches = evaluation_batches(self._model, self._training, state.recipe_used.batch_size)
        found = embed_texts(self._model, self._training, state.accelerator.prepare(batches))
        training = LabelledEmbeddings(found.cpu().numpy(), self._training.targets)
        evaluation = LabelledEmbeddings(outcome.embeddings[0], self._evaluation.targets)
        nearest = nearest_labels(training, evaluation)
        scores = SimilarityScores(labels=score_labelled(nearest, evaluation, self.labels))
        texts = self._splits.evaluation
        by_source = score_sources(evaluation.targets, nearest, None, texts, self._sources)
        table = nearest_label_table(texts, self.labels, nearest)
        return EvaluationResult(outcome.loss, table, similarity=scores, sources=by_source)


class ComparedTexts(EmbeddingTask):
    """Pairs and triplets, with or without scores."""

    def __init__(self, run: Run) -> None:
        loaded = load_pairs(run)
        self._splits, self.counts, self.sha256 = loaded.splits, loaded.counts, loaded.sha256
        self._scored = run.config.dataset.score_field is not None
        self.labels, self.fields = [], loaded.fields

    def texts(self) -> Sequence[Example]:
        """First, near and far ones."""
        return self._splits.training.texts()

    def objective(self, model: EmbeddingModel) -> tuple[Objective, int]:
        """The order of the scores; without scores, near texts nearer than others."""
        self._evaluation = _encode(model, self._splits.evaluation)
        training = _encode(model, self._splits.training)
        task = ScoredPairs if self._scored else RankedTexts
        return task(model, training, self._evaluation), training.truncated + self._evaluation.truncated

    def score(self, state: TrainState, outcome: Outcome) -> EvaluationResult:
        """Correlations, or ranking."""
        matrices = list(outcome.embeddings)
        scores = (
            SimilarityScores(pairs=score_pairs(matrices[0], matrices[1], self._evaluation.scores))
            if self._scored
            else SimilarityScores(ranking=score_ranked(matrices))
        )
        table = comparisons_table(self._splits.evaluation, matrices)
        return EvaluationResult(outcome.loss, table, similarity=scores)


def _encode(model: EmbeddingModel, rows: Pairs) -> EncodedColumns:
    columns = [model.encode_texts(rows.column(index)) for index in range(rows.width)]
    scores = np.zeros(len(rows)) if rows.scores is None else rows.scores
    return EncodedColumns([ids for ids, _ in columns], scores, sum(cut for _, cut in columns))
