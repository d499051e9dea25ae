"""Whether the probabilities of a model mean what they say."""

import numpy as np

from trainingrun_api.evaluation import Calibration, ReliabilityBin

from .arrays import Floats, Indices

BINS = 10
"""Enough to see where confidence and accuracy part, few enough to hold texts in small evaluation parts."""


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
