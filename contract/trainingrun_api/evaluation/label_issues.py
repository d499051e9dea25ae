"""Texts whose label is likely wrong."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ..base import Model
from .scores import Share

MAX_FLAGGED = 200
"""As many as a person labels anew in an hour."""


class Part(StrEnum):
    """The two parts of the split."""

    TRAINING = "Training"
    """Trained on."""
    EVALUATION = "Evaluation"
    """Evaluated on."""


class FlaggedText(Model):
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


class LabelIssues(Model):
    """Labels that are likely wrong, after confident learning (Northcutt et al., JAIR 2021).

    A text is flagged when another label is the most probable one, and its own has less than an eighth of the
    probability that texts of that label have on average (a fourth with two labels, a sixth with three).
    Probabilities are those of models that were not trained on the text: for the evaluation split, of the
    best epoch; for the training split, of logistic regression on the embeddings of the untrained body,
    fitted on four fifths of the texts for the other fifth.
    """

    judged: int
    """Texts looked at: of the training split at most 20,000, and none where the base model has no pooling or
    came with a head for these labels; none of a label with few texts."""
    flagged: int
    """Texts among them whose label is likely wrong."""
    texts: Annotated[list[FlaggedText], Field(max_length=MAX_FLAGGED)]
    """At most 200 of them, the most certain first."""
