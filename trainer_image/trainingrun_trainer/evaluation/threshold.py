"""From which probability on a label is given, where a text may have several."""

import numpy as np
from numpy.typing import NDArray

Binary = NDArray[np.int64]
Floats = NDArray[np.float64]

FOLDS = 5
"""Parts that the evaluation texts are cut into to see what choosing a threshold on them flatters."""

UNDECIDED = 0.5
"""The threshold when no text has any label to find."""


def best_threshold(targets: Binary, probabilities: Floats) -> float:
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


def cross_fitted(targets: Binary, probabilities: Floats) -> Binary:
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
