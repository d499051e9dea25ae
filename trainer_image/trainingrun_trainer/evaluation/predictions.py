"""What a classifier says of the evaluation split, and the scores of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, matthews_corrcoef, top_k_accuracy_score

from trainingrun_api.evaluation import ClassificationScores, ConfusionMatrix, Threshold, TopAccuracy

from .intervals import bootstrap
from .label_issues import FoundIssues, find_label_issues
from .probabilities import best_threshold, calibration, cross_fitted
from .scores import Floats, Indices, averages, classes, evaluated_labels, macro_f1, score

TOP = (2, 3, 5)
"""Choices that a person would look through."""


@dataclass(frozen=True)
class LabelPredictions(ABC):
    """Labels for each text, from one pass over the evaluation split."""

    targets: Indices
    """The true ones: an index, (texts,), or 1 for each and else 0, (texts, labels)."""
    logits: NDArray[np.float32]
    """Scores before softmax or sigmoid, (texts, labels)."""
    loss: float
    """Mean over texts of `losses`, in nats per text."""

    @property
    @abstractmethod
    def predicted(self) -> Indices:
        """Those given, as `targets` has the true ones."""

    @property
    @abstractmethod
    def probabilities(self) -> Floats:
        """Probability of each label, (texts, labels)."""

    @property
    @abstractmethod
    def losses(self) -> Floats:
        """Negative log-likelihood of each text's labels, in nats, (texts,)."""

    @abstractmethod
    def scores(self, labels: list[str]) -> ClassificationScores:
        """All scores; `labels` are the names, in the order of the logits."""

    def label_issues(self) -> FoundIssues | None:
        """True labels that are likely wrong; None where nothing tells."""
        return None


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
