"""Scores by data set: pure functions over predictions of texts that know theirs."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from trainingrun_api.evaluation import SourceScores

from ..records import Example
from .labels import LabelPredictions
from .predictions import Indices


def score_sources(
    predictions: LabelPredictions, examples: Sequence[Example], sources: Sequence[str]
) -> list[SourceScores]:
    """Scores of each of the `sources` that has texts; `examples` are the texts predicted, in their order."""
    origin = np.array([example.source for example in examples], dtype=object)
    texts_of = {source: np.flatnonzero(origin == source) for source in sources}
    targets, predicted, losses = predictions.targets, predictions.predicted, predictions.losses
    return [
        _score(source, targets[own], predicted[own], float(losses[own].mean()))
        for source, own in texts_of.items()
        if len(own)
    ]


def _score(source: str, targets: Indices, predicted: Indices, loss: float) -> SourceScores:
    present = np.unique(targets) if targets.ndim == 1 else np.flatnonzero(targets.any(axis=0))
    macro_f1 = f1_score(targets, predicted, labels=present, average="macro", zero_division=0)
    return SourceScores(
        source=source,
        support=len(targets),
        accuracy=float(accuracy_score(targets, predicted)),
        macro_f1=float(macro_f1),
        loss=loss,
    )
