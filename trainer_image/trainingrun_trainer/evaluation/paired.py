"""Whether two models differ by more than chance, on texts that both were evaluated on."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score

from .arrays import Floats, Indices
from .intervals import accuracies, distinct, macro_f1s, resamples
from .scores import macro_f1

MIN_DECISIVE = 6
"""Texts that one model has right and the other wrong. Were both equally good, all of five would be one
model's in 1 of 16 cases, all of six in 1 of 32 (sign test): with fewer no result is rarer than 1 in 20."""


@dataclass(frozen=True)
class Difference:
    """A score of two models on the same texts."""

    first: float
    """Score of the first, 0 to 1."""
    second: float
    """Score of the second, 0 to 1."""
    low: float
    """Lower end of the 95 % interval of second - first."""
    high: float
    """Upper end."""

    @property
    def value(self) -> float:
        """How much better the second is, -1 to 1."""
        return self.second - self.first

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves out 0: another sample of texts would hardly turn the difference."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True)
class PairedScores:
    """Two models on the same texts."""

    accuracy: Difference
    macro_f1: Difference
    differing: int
    """Texts that the models give different labels."""
    decisive: int
    """Texts of which one model has the right labels and the other hasn't."""

    @property
    def enough(self) -> bool:
        """Whether the texts can tell the models apart at all."""
        return self.decisive >= MIN_DECISIVE


def paired_scores(targets: Indices, first: Indices, second: Indices, labels: int) -> PairedScores:
    """Paired percentile bootstrap (Efron 1979): each sample of texts is scored for both models.

    All arrays are label indices (texts,), or 0 and 1, (texts, labels); at least one text.
    """
    (true, one, other), counts = distinct([targets, first, second], labels)
    samples = [
        (
            accuracies(drawn, true, other) - accuracies(drawn, true, one),
            macro_f1s(drawn, true, other) - macro_f1s(drawn, true, one),
        )
        for drawn in resamples(counts)
    ]
    right, f1s = np.concatenate(samples, axis=1)
    return PairedScores(
        accuracy=_difference(accuracy_score(targets, first), accuracy_score(targets, second), right),
        macro_f1=_difference(macro_f1(targets, first), macro_f1(targets, second), f1s),
        differing=int(counts[(one != other).any(axis=1)].sum()),
        decisive=int(counts[(true == one).all(axis=1) != (true == other).all(axis=1)].sum()),
    )


def _difference(first: float, second: float, samples: Floats) -> Difference:
    low, high = np.percentile(samples, [2.5, 97.5])
    return Difference(float(first), float(second), float(low), float(high))
