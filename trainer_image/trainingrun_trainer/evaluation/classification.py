"""What a model says that gives each text one label, and the scores of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import matthews_corrcoef, top_k_accuracy_score

from trainingrun_api.evaluation import ClassificationScores, TopAccuracy

from .arrays import Floats, Indices
from .calibration import calibration
from .intervals import bootstrap
from .label_issues import FoundIssues, find_label_issues
from .predictions import LabelPredictions
from .scores import score

TOP = (2, 3, 5)
"""Choices that a person would look through."""


@dataclass(frozen=True)
class Predictions(LabelPredictions):
    """One label for each text, by softmax."""

    @property
    def predicted(self) -> Indices:
        """Index of the predicted label, (texts,)."""
        indices: Indices = self.logits.argmax(axis=1)
        return indices

    @property
    def probabilities(self) -> Floats:
        """Probability of each label, (texts, labels); rows add up to 1."""
        probabilities: Floats = np.exp(self._log_probabilities)
        return probabilities

    @property
    def losses(self) -> Floats:
        """Cross-entropy of each text, in nats, (texts,)."""
        losses: Floats = -self._log_probabilities[np.arange(len(self.targets)), self.targets]
        return losses

    @cached_property
    def _log_probabilities(self) -> Floats:
        logs: Floats = log_softmax(self.logits.astype(np.float64), axis=1)
        return logs

    def scores(self, labels: list[str]) -> ClassificationScores:
        """What `score` gives, with intervals, correlation, top-k accuracy and calibration."""
        targets, predicted = self.targets, self.predicted
        intervals = bootstrap(targets, predicted, len(labels))
        return score(targets, predicted, labels).model_copy(
            update={
                "accuracy_interval": intervals.accuracy,
                "macro_f1_interval": intervals.macro_f1,
                "matthews": float(matthews_corrcoef(targets, predicted)),
                "top_accuracies": _top_accuracies(targets, self.probabilities),
                "calibration": calibration(targets, self.probabilities),
            }
        )

    def label_issues(self) -> FoundIssues:
        """By the probabilities, of which none was learned from the text."""
        return find_label_issues(self.targets, self.probabilities)


def _top_accuracies(targets: Indices, probabilities: Floats) -> list[TopAccuracy]:
    labels = probabilities.shape[1]
    return [
        TopAccuracy(
            k=k, accuracy=float(top_k_accuracy_score(targets, probabilities, k=k, labels=np.arange(labels)))
        )
        for k in TOP
        if k < labels
    ]
