"""What the similarity stage made of the model."""

from ..base import Model
from ..status import EpochSummary


class StageOutcome(Model):
    """Texts of one label were brought near each other before epoch 0."""

    steps: int
    """Optimizer steps."""
    pairs: int
    """Pairs of texts with the same label in a step."""
    kept: bool
    """True: better than the baseline by the metric of early stopping, so epoch 0 is the model after it.
    False: it was undone, and epoch 0 is the baseline."""
    scores: EpochSummary
    """After it, with a new head set to logistic regression; training loss and scores are the classifier's."""
