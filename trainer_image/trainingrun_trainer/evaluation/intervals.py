"""Confidence intervals by bootstrap: of a model's scores, and of what two models differ by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score

from trainingrun_api.evaluation import Interval

from .scores import Floats, Indices, macro_f1

RESAMPLES = 1000
"""scipy takes 9,999; with these the ends of a 95 % interval move by less than a tenth of its width."""

SEED = 0
"""The same predictions give the same intervals."""

CHUNK = 100
"""Resamples counted at once: their counts of 5,000 pairs of labels take 4 MB."""

MIN_DECISIVE = 6
"""Texts that one model has right and the other wrong. Were both equally good, all of five would be one
model's in 1 of 16 cases, all of six in 1 of 32 (sign test): with fewer no result is rarer than 1 in 20."""


@dataclass(frozen=True)
class Intervals:
    """95 % confidence intervals."""

    accuracy: Interval
    macro_f1: Interval


def bootstrap(targets: Indices, predicted: Indices, labels: int) -> Intervals:
    """Percentile bootstrap (Efron 1979) over texts; both arrays (texts,), or 0 and 1, (texts, labels)."""
    (true, given), counts = distinct([targets, predicted], labels)
    scores = [(accuracies(one, true, given), macro_f1s(one, true, given)) for one in resamples(counts)]
    right, f1s = np.concatenate(scores, axis=1)
    return Intervals(_interval(right), _interval(f1s))


def distinct(columns: Sequence[Indices], labels: int) -> tuple[list[Indices], Indices]:
    """What texts have in these columns, each combination once; and the number of texts with it.

    Columns are label indices (texts,), or 0 and 1, (texts, labels); each is given back as 0 and 1,
    (combinations, labels).
    """
    if columns[0].ndim == 2:
        rows, counts = np.unique(np.hstack(columns), axis=0, return_counts=True)
        return np.hsplit(rows, len(columns)), counts
    identity, shape = np.eye(labels, dtype=np.int64), (labels,) * len(columns)
    cells, counts = np.unique(np.ravel_multi_index(tuple(columns), shape), return_counts=True)
    return [identity[indices] for indices in np.unravel_index(cells, shape)], counts


def resamples(counts: Indices) -> Iterator[Floats]:
    """How often each combination is drawn in RESAMPLES samples of as many texts; (CHUNK, combinations) each.

    Drawing texts with replacement is drawing their combinations from a multinomial distribution, which takes
    the same time for any number of texts with the same ones.
    """
    random = np.random.default_rng(SEED)
    for _ in range(RESAMPLES // CHUNK):
        drawn = random.multinomial(counts.sum(), counts / counts.sum(), CHUNK)
        yield drawn.astype(np.float64)  # integers have no fast matrix product


def accuracies(drawn: Floats, true: Indices, given: Indices) -> Floats:
    """Of each sample, (samples,); labels are 0 and 1, (combinations, labels)."""
    right: Floats = drawn @ (true == given).all(axis=1) / drawn.sum(axis=1)
    return right


def macro_f1s(drawn: Floats, true: Indices, given: Indices) -> Floats:
    """Of each sample, (samples,), over the labels that its texts have, as the score is over those evaluated.

    Were a rare label, which many samples miss, counted as 0 there, scores would lie above their interval.
    Labels are 0 and 1, (combinations, labels).
    """
    # Texts have few of all labels, of which dense matrices would multiply mostly zeros.
    hits, support, both = (drawn @ csr_array(counted) for counted in (true * given, true, true + given))
    f1s = np.divide(2 * hits, both, out=np.zeros_like(both), where=support > 0)
    mean: Floats = f1s.sum(axis=1) / np.maximum((support > 0).sum(axis=1), 1)
    return mean


def _interval(values: Floats) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(low=min(float(low), 1), high=min(float(high), 1))


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
