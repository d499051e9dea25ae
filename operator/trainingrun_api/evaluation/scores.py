"""Scores of predictions."""

from typing import Annotated

from pydantic import Field

from ..base import Model

Share = Annotated[float, Field(ge=0, le=1)]


class ConfusionMatrix(Model):
    """Rows are true labels, columns predicted ones, both in the order of `labels`."""

    counts: list[list[int]]
    """Texts, (labels, labels)."""
    row_percentages: list[list[float]]
    """Share of the row's texts, 0 to 100, (labels, labels); zeros for a label without evaluation texts."""


class ClassScores(Model):
    """Scores of one label."""

    label: str
    """The label."""
    precision: Share
    """Share of texts given this label that have it."""
    recall: Share
    """Share of texts with this label that were given it."""
    f1: Share
    """Harmonic mean of both."""
    support: int
    """Evaluation texts with this label."""


class Average(Model):
    """Precision, recall and F1 averaged in one way of scikit-learn's."""

    precision: Share
    """Averaged precision."""
    recall: Share
    """Averaged recall."""
    f1: Share
    """Averaged F1."""


class Averages(Model):
    """scikit-learn's four averages, zero_division=0; samples treats each text as a set of one label."""

    macro: Average
    """Plain mean over labels."""
    micro: Average
    """Over all texts; equals accuracy when each text has one label."""
    weighted: Average
    """Mean over labels weighted by support."""
    samples: Average
    """Mean over texts."""


class ClassificationScores(Model):
    """Scores of a model that gives labels, on the evaluation part."""

    accuracy: Share
    """Share of evaluation texts with the right label."""
    averages: Averages
    """Macro, micro, weighted and samples averages."""
    classes: list[ClassScores]
    """Scores per label, in the order of `labels`."""
    confusion_matrix: ConfusionMatrix
    """Which label was taken for which."""
