"""What a model says that gives each text any number of labels, and the scores of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit
from sklearn.metrics import accuracy_score, f1_score, hamming_loss

from trainingrun_api.evaluation import ClassificationScores, ConfusionMatrix, Threshold

from .arrays import Floats, Indices
from .intervals import bootstrap
from .predictions import LabelPredictions
from .scores import averages, classes, evaluated_labels, macro_f1
from .threshold import best_threshold, cross_fitted


@dataclass(frozen=True)
class MultiLabelPredictions(LabelPredictions):
    """A set of labels for each text, by a sigmoid each; the loss is summed over labels."""

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of each label, each for itself, (texts, labels)."""
        probabilities: Floats = expit(self.logits.astype(np.float64))
        return probabilities

    @property
    def losses(self) -> Floats:
        """Binary cross-entropy of each text summed over labels, in nats, (texts,)."""
        logits = self.logits.astype(np.float64)
        losses: Floats = (np.logaddexp(0, logits) - self.targets * logits).sum(axis=1)
        return losses

    @cached_property
    def threshold(self) -> float:
        """Probability from which on a label is given."""
        return best_threshold(self.targets, self.probabilities)

    @cached_property
    def predicted(self) -> Indices:
        """1 for each label given at the threshold, else 0, (texts, labels)."""
        given: Indices = (self.probabilities >= self.threshold).astype(np.int64)
        return given

    def scores(self, labels: list[str]) -> ClassificationScores:
        """As scikit-learn gives them with zero_division=0."""
        targets, predicted = self.targets, self.predicted
        intervals = bootstrap(targets, predicted, len(labels))
        return ClassificationScores(
            evaluated_labels=len(evaluated_labels(targets)),
            accuracy=float(accuracy_score(targets, predicted)),
            averages=averages(targets, predicted, len(labels)),
            classes=classes(targets, predicted, labels),
            confusion_matrix=_confusion(targets, predicted),
            threshold=_threshold(self),
            hamming_loss=float(hamming_loss(targets, predicted)),
            accuracy_interval=intervals.accuracy,
            macro_f1_interval=intervals.macro_f1,
        )


def _threshold(predictions: MultiLabelPredictions) -> Threshold:
    targets = predictions.targets
    given = cross_fitted(targets, predictions.probabilities)
    return Threshold(
        value=predictions.threshold,
        cross_fitted_accuracy=float(accuracy_score(targets, given)),
        cross_fitted_macro_f1=macro_f1(targets, given),
        cross_fitted_micro_f1=float(f1_score(targets, given, average="micro", zero_division=0)),
    )


def _confusion(targets: Indices, predicted: Indices) -> ConfusionMatrix:
    missed, extra = targets * (1 - predicted), predicted * (1 - targets)
    counts = missed.T @ extra + np.diag((targets * predicted).sum(axis=0))
    support = targets.sum(axis=0)[:, None]
    return ConfusionMatrix(
        counts=counts.tolist(), row_percentages=(100 * counts / np.maximum(support, 1)).tolist()
    )
