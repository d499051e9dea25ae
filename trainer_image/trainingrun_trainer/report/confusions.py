"""Which labels are taken for which: the matrix as the script reads it, and what stands out in it."""

from dataclasses import dataclass

from trainingrun_api.evaluation import ClassificationScores

MAX_PAIRS = 15
"""As many as a person looks through."""


@dataclass(frozen=True)
class Confusion:
    """A label that is taken for another."""

    true: int
    """Index of the label that the texts have."""
    predicted: int
    """Index of the one they were given."""
    count: int
    """Texts."""
    percent: float
    """Share of the texts with the true label, 0 to 100."""


def cells(scores: ClassificationScores | None) -> list[int]:
    """True label, predicted label, texts; for each cell that is not empty, one after another."""
    return [number for one in _pairs(scores) for number in (one.true, one.predicted, one.count)]


def confused_pairs(scores: ClassificationScores | None) -> list[Confusion]:
    """The pairs with most texts, those with the larger share first among equals."""
    wrong = [one for one in _pairs(scores) if one.true != one.predicted]
    return sorted(wrong, key=lambda one: (-one.count, -one.percent))[:MAX_PAIRS]


def taken_for(scores: ClassificationScores | None) -> dict[int, Confusion]:
    """By label, what it is most often taken for; labels that are never mistaken are left out."""
    worst: dict[int, Confusion] = {}
    for one in _pairs(scores):
        if one.true != one.predicted and (one.true not in worst or one.count > worst[one.true].count):
            worst[one.true] = one
    return worst


def _pairs(scores: ClassificationScores | None) -> list[Confusion]:
    if scores is None:
        return []
    matrix = scores.confusion_matrix
    return [
        Confusion(true, predicted, count, matrix.row_percentages[true][predicted])
        for true, row in enumerate(matrix.counts)
        for predicted, count in enumerate(row)
        if count
    ]
