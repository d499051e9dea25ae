"""Predictions of both kinds of classification."""

from trainingrun_api.evaluation import ClassificationScores

from .classification import score_predictions
from .multilabel import MultiLabelPredictions, score_multi_label
from .predictions import Predictions

LabelPredictions = Predictions | MultiLabelPredictions


def score_labels(predictions: LabelPredictions, labels: list[str]) -> ClassificationScores:
    """All scores of the labels given."""
    if isinstance(predictions, MultiLabelPredictions):
        return score_multi_label(predictions, labels)
    return score_predictions(predictions, labels)
