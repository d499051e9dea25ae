"""What the page is made of."""

from dataclasses import dataclass

import pyarrow as pa

from trainingrun_api.evaluation import ClassificationScores, Evaluation, SimilarityScores

from ..records import RunRecord


@dataclass(frozen=True)
class Report:
    """One run, after its end or so far."""

    evaluation: Evaluation
    """Scores, curves, counts."""
    record: RunRecord
    """Settings and versions."""
    predictions: pa.Table | None = None
    """What is in predictions.parquet; the page shows its rows where they are labelled texts."""

    @property
    def similarity(self) -> SimilarityScores | None:
        """Scores of an embedding model."""
        return self.evaluation.similarity

    @property
    def scores(self) -> ClassificationScores | None:
        """Scores of the labels given: by a classifier, or those of the nearest texts."""
        return self.evaluation.label_scores
