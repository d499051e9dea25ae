"""Scores of predicted labels, whole and by data set: pure functions over label indices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from trainingrun_api.evaluation import (
    Average,
    Averages,
    ClassificationScores,
    ClassScores,
    ConfusionMatrix,
    SourceScores,
)

from ..records import Example

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


def score(targets: Indices, predicted: Indices, labels: list[str]) -> ClassificationScores:
    """Score predictions, both (texts,), as scikit-learn does with zero_division=0."""
    return ClassificationScores(
        evaluated_labels=len(evaluated_labels(targets)),
        accuracy=float(accuracy_score(targets, predicted)),
        averages=averages(targets, predicted, len(labels)),
        classes=classes(targets, predicted, labels),
        confusion_matrix=_confusion(targets, predicted, len(labels)),
    )


def evaluated_labels(targets: Indices) -> Indices:
    """Indices of the labels that texts have; targets are indices, (texts,), or 0 and 1, (texts, labels).

    Averages over labels are over these: nothing tells how well a label is found that no text has.
    """
    return np.unique(targets) if targets.ndim == 1 else np.flatnonzero(targets.any(axis=0))


def macro_f1(targets: Indices, predicted: Indices) -> float:
    """Mean F1 of the labels evaluated, 0 to 1, of the same arrays as `averages`."""
    return _average(targets, predicted, evaluated_labels(targets), "macro").f1


def averages(targets: Indices, predicted: Indices, labels: int) -> Averages:
    """All four, of label indices, both (texts,), or of sets of labels as 0 and 1, both (texts, labels).

    Those over decisions and over texts count all labels: one that no text has is wrong wherever it is given.
    """
    evaluated, all_labels, one_hot = (
        evaluated_labels(targets),
        np.arange(labels),
        np.eye(labels, dtype=np.int64),
    )
    sets = (targets, predicted) if targets.ndim == 2 else (one_hot[targets], one_hot[predicted])
    return Averages(
        macro=_average(targets, predicted, evaluated, "macro"),
        micro=_average(targets, predicted, all_labels, "micro"),
        weighted=_average(targets, predicted, evaluated, "weighted"),
        # Defined for sets of labels only, so each text gets a set of one.
        samples=_average(*sets, all_labels, "samples"),
    )


def classes(targets: Indices, predicted: Indices, labels: list[str]) -> list[ClassScores]:
    """Scores of each label, of the same arrays as `averages`."""
    columns = precision_recall_fscore_support(
        targets, predicted, labels=np.arange(len(labels)), average=None, zero_division=0
    )
    return [
        ClassScores(
            label=label, precision=float(precision), recall=float(recall), f1=float(f1), support=int(support)
        )
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    ]


def _average(targets: Indices, predicted: Indices, labels: Indices, kind: str) -> Average:
    """Over these labels."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        targets, predicted, labels=labels, average=kind, zero_division=0
    )
    return Average(precision=float(precision), recall=float(recall), f1=float(f1))


def _confusion(targets: Indices, predicted: Indices, labels: int) -> ConfusionMatrix:
    counts = confusion_matrix(targets, predicted, labels=np.arange(labels))
    support = counts.sum(axis=1, keepdims=True)
    return ConfusionMatrix(
        counts=counts.tolist(), row_percentages=(100 * counts / np.maximum(support, 1)).tolist()
    )


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
        _score_source(source, targets[own], predicted[own], None if losses is None else losses[own])
        for source, own in texts_of.items()
        if len(own)
    ]


def _score_source(source: str, targets: Indices, predicted: Indices, losses: Floats | None) -> SourceScores:
    return SourceScores(
        source=source,
        support=len(targets),
        accuracy=float(accuracy_score(targets, predicted)),
        macro_f1=macro_f1(targets, predicted),
        loss=None if losses is None else float(losses.mean()),
    )
