"""Scores by data set."""

from ..base import Model
from .scores import Share


class SourceScores(Model):
    """Scores of the evaluation texts that came from one data set."""

    source: str
    """The project, or the URI."""
    support: int
    """Evaluation texts from it."""
    accuracy: Share
    """Share of them with the right label, or with exactly the right ones of several."""
    macro_f1: Share
    """Mean F1 of the labels that they have."""
    loss: float
    """Mean loss, in nats per text."""
