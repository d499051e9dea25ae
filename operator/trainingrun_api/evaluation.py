"""evaluation.json: what a trained model is worth, for programs."""

from typing import Annotated, Literal

from pydantic import Field

from .base import Model
from .status import EpochSummary, ResolvedBaseModel

Share = Annotated[float, Field(ge=0, le=1)]


class DataCounts(Model):
    """Texts at each step from file to split."""

    read: int
    """Texts read."""
    empty: int
    """Left out: no text."""
    unlabelled: int
    """Left out: no label."""
    duplicates: int
    """Texts that occur again with the same label; left out when skipDuplicates is on."""
    conflicts: int
    """Texts that occur again with another label; the most frequent label is kept, the first one on a tie."""
    truncated: int
    """Texts longer than maxSequenceLength, which were cut."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""


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


class LossPoint(Model):
    """One point of the training curve."""

    step: int
    """Optimizer step, from 1."""
    epoch: float
    """Passes over the training part."""
    loss: float
    """Mean loss of the texts since the point before, in nats per text."""
    learning_rate: float
    """Learning rate of the body."""


class Curves(Model):
    """How training went."""

    training_loss: list[LossPoint]
    """By step, at most about 100 points an epoch."""
    epochs: list[EpochSummary]
    """By epoch: losses, accuracy, F1, learning rate."""


class Evaluation(Model):
    """The whole of evaluation.json."""

    schema_version: Literal["v1alpha1"] = "v1alpha1"
    """Version of this format."""
    model_name: str
    """Name of the model."""
    labels: list[str]
    """Labels in the order of the model's outputs."""
    best_epoch: int
    """Epoch these scores belong to; its weights are published."""
    stopped_early: bool
    """True when early stopping ended training before maxEpochs."""
    accuracy: Share
    """Share of evaluation texts with the right label."""
    loss: float
    """Mean cross-entropy, in nats per text."""
    averages: Averages
    """Macro, micro, weighted and samples averages."""
    classes: list[ClassScores]
    """Scores per label, in the order of `labels`."""
    confusion_matrix: ConfusionMatrix
    """Which label was taken for which."""
    curves: Curves
    """Training and evaluation loss."""
    data: DataCounts
    """Texts at each step from file to split."""
    base_model: ResolvedBaseModel
    """The model that training started from."""
