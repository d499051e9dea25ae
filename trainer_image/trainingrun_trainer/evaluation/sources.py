"""Scores by data set: pure functions over labels given to texts that know their data set."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import accuracy_score

from trainingrun_api.evaluation import SourceScores

from ..records import Example
from .arrays import Floats, Indices
from .scores import macro_f1


def score_sources(
    targets: Indices,
    predicted: Indices,
    losses: Floats | None,
    examples: Sequence[Example],
    sources: Sequence[str],
) -> list[SourceScores]:
    """Scores of each of the `sources` that has texts; all else is in the order of `examples`.

    Targets and predicted labels are indices, (texts,), or 0 and 1, (texts, labels).
    """
    origin = np.array([example.source for example in examples], dtype=object)
    texts_of = {source: np.flatnonzero(origin == source) for source in sources}
    return [
        _score(source, targets[own], predicted[own], None if losses is None else losses[own])
        for source, own in texts_of.items()
        if len(own)
    ]


def _score(source: str, targets: Indices, predicted: Indices, losses: Floats | None) -> SourceScores:
    return SourceScores(
        source=source,
        support=len(targets),
        accuracy=float(accuracy_score(targets, predicted)),
        macro_f1=macro_f1(targets, predicted),
        loss=None if losses is None else float(losses.mean()),
    )
