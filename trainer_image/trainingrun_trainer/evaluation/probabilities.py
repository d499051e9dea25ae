"""What probabilities are worth: calibration, the threshold from which on labels are given, and guessing."""

import numpy as np

from trainingrun_api.evaluation import Calibration, DataCounts, ReliabilityBin

from .scores import Floats, Indices

BINS = 10
"""Enough to see where confidence and accuracy part, few enough to hold texts in small evaluation splits."""

FOLDS = 5
"""Parts that the evaluation texts are cut into to see what choosing a threshold on them flatters."""

UNDECIDED = 0.5
"""The threshold when no text has any label to find."""


def calibration(targets: Indices, probabilities: Floats) -> Calibration:
    """Expected calibration error and its bins, for targets (texts,) and probabilities (texts, labels).

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599, equations 2 and 3.
    """
    confidences = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    edges = np.linspace(0, 1, BINS + 1)
    places = np.clip(np.digitize(confidences, edges, right=True) - 1, 0, BINS - 1)
    bins = [
        _bin(confidences[places == place], right[places == place], edges[place], edges[place + 1])
        for place in range(BINS)
    ]
    error = sum(one.support * abs(one.accuracy - one.confidence) for one in bins) / len(targets)
    return Calibration(expected_error=error, bins=bins)


def _bin(confidences: Floats, right: Indices, low: float, high: float) -> ReliabilityBin:
    empty = len(confidences) == 0
    return ReliabilityBin(
        low=low,
        high=high,
        support=len(confidences),
        confidence=0 if empty else min(float(confidences.mean()), 1),
        accuracy=0 if empty else float(right.mean()),
    )


def best_threshold(targets: Indices, probabilities: Floats) -> float:
    """The threshold with the highest micro F1 of all there are; both (texts, labels).

    One for all labels, since a rare label has too few texts to choose its own by; micro F1 counts every
    decision alike, so that no label with a handful of texts moves it. Half-way between the two probabilities
    that it separates.
    """
    if not targets.any():
        return UNDECIDED
    order = np.argsort(-probabilities, axis=None, kind="stable")
    falling = np.append(probabilities.ravel()[order], 0.0)
    right = targets.ravel()[order].cumsum()
    f1 = 2 * right / (np.arange(1, len(right) + 1) + right[-1])
    separates = falling[:-1] > falling[1:]
    cut = int(np.where(separates, f1, 0.0).argmax())
    return float(falling[cut] + falling[cut + 1]) / 2


def cross_fitted(targets: Indices, probabilities: Floats) -> Indices:
    """Labels given to each text by the threshold that is best for the texts of the other folds.

    Both (texts, labels), as is the result. Every fifth text makes a fold. Scores of these decisions aren't
    flattered by the choice of the threshold.
    """
    given = np.zeros_like(targets)
    fold = np.arange(len(targets)) % FOLDS
    for number in range(min(FOLDS, len(targets))):
        inside = fold == number
        threshold = best_threshold(targets[~inside], probabilities[~inside])
        given[inside] = probabilities[inside] >= threshold
    return given


def loss_of_guessing_one(data: DataCounts) -> float:
    """Where each text has one label: the entropy of the training split's labels, in nats per text."""
    return _entropy(_shares(data))


def loss_of_guessing_several(data: DataCounts) -> float:
    """Where a text has any number of labels: the entropies of each one's presence, in nats per text."""
    shares = _shares(data)
    return _entropy(shares) + _entropy(1 - shares)


def _shares(data: DataCounts) -> Floats:
    """Share of the training texts that have each label."""
    return np.array([one.training for one in data.by_label], dtype=float) / max(data.training, 1)


def _entropy(shares: Floats) -> float:
    known = shares[shares > 0]
    return float(-(known * np.log(known)).sum())
