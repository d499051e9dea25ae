"""All scores of one label for each text."""

import numpy as np
from sklearn.metrics import matthews_corrcoef, top_k_accuracy_score

from trainingrun_api.evaluation import ClassificationScores, TopAccuracy

from .calibration import calibration
from .intervals import bootstrap
from .predictions import Floats, Indices, Predictions
from .scores import score

TOP = (2, 3, 5)
"""Choices that a person would look through."""


def score_predictions(predictions: Predictions, labels: list[str]) -> ClassificationScores:
    """What `score` gives, with intervals, correlation, top-k accuracy and calibration."""
    targets, predicted = predictions.targets, predictions.predicted
    intervals = bootstrap(targets, predicted, len(labels))
    return score(targets, predicted, labels).model_copy(
        update={
            "accuracy_interval": intervals.accuracy,
            "macro_f1_interval": intervals.macro_f1,
            "matthews": float(matthews_corrcoef(targets, predicted)),
            "top_accuracies": _top_accuracies(targets, predictions.probabilities),
            "calibration": calibration(targets, predictions.probabilities),
        }
    )


def _top_accuracies(targets: Indices, probabilities: Floats) -> list[TopAccuracy]:
    labels = probabilities.shape[1]
    return [
        TopAccuracy(
            k=k, accuracy=float(top_k_accuracy_score(targets, probabilities, k=k, labels=np.arange(labels)))
        )
        for k in TOP
        if k < labels
    ]
