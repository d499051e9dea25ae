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
    """Share of them with the right label, or with exactly the right ones of several; of TextSimilarity, with
    the nearest label the right one."""
    macro_f1: Share
    """Macro F1: the mean over the labels that they have."""
    loss: float | None = None
    """Mean loss, in nats per text; null for TextSimilarity, whose loss is one of pairs of texts."""
