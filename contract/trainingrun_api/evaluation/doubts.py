"""Texts whose label is likely wrong."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ..base import Model
from .scores import Share

MAX_DOUBTED = 200
"""As many as a person labels anew in an hour."""


class Part(StrEnum):
    """The two parts of the split."""

    TRAINING = "Training"
    """Trained on."""
    EVALUATION = "Evaluation"
    """Evaluated on."""


class DoubtedText(Model):
    """A text whose label is likely wrong."""

    text: str
    """The text; of a long one the beginning."""
    cut: bool = False
    """True for the beginning of a long one."""
    context: list[str] = []
    """Its context, in the order of spec.contextParameters."""
    source: str = ""
    """Its data set: the project, or the URI."""
    label: str
    """The label that it has."""
    suggested: str
    """The label that is more likely."""
    probability: Share
    """Probability of the suggested label, calibrated on the labels of its part."""
    part: Part
    """Training or Evaluation."""


class LabelDoubts(Model):
    """Labels that are likely wrong, after confident learning (Northcutt et al., JAIR 2021).

    A text is doubted when another label is the most probable one, and its own has less than an eighth of the
    probability that texts of that label have on average (a fourth with two labels, a sixth with three).
    Probabilities are those of models that were not trained on the text: for the evaluation part, of the
    best epoch; for the training part, of logistic regression on the embeddings of the untrained body,
    fitted on four fifths of the texts for the other fifth.
    """

    judged: int
    """Texts looked at: of the training part at most 20,000, and none where the base model has no pooling or
    came with a head for these labels; none of a label with few texts."""
    doubted: int
    """Texts among them whose label is likely wrong."""
    texts: Annotated[list[DoubtedText], Field(max_length=MAX_DOUBTED)]
    """At most 200 of them, the most certain first."""
