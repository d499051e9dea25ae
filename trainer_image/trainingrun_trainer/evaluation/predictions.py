"""What a classifier says of the evaluation split."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainingrun_api.evaluation import ClassificationScores

from .arrays import Floats, Indices
from .label_issues import FoundIssues


@dataclass(frozen=True)
class LabelPredictions(ABC):
    """Labels for each text, from one pass over the evaluation split."""

    targets: Indices
    """The true ones: an index, (texts,), or 1 for each and else 0, (texts, labels)."""
    logits: NDArray[np.float32]
    """Scores before softmax or sigmoid, (texts, labels)."""
    loss: float
    """Mean over texts of `losses`, in nats per text."""

    @property
    @abstractmethod
    def predicted(self) -> Indices:
        """Those given, as `targets` has the true ones."""

    @property
    @abstractmethod
    def probabilities(self) -> Floats:
        """Probability of each label, (texts, labels)."""

    @property
    @abstractmethod
    def losses(self) -> Floats:
        """Negative log-likelihood of each text's labels, in nats, (texts,)."""

    @abstractmethod
    def scores(self, labels: list[str]) -> ClassificationScores:
        """All scores; `labels` are the names, in the order of the logits."""

    def label_issues(self) -> FoundIssues | None:
        """True labels that are likely wrong; None where nothing tells."""
        return None
