"""What a model says of the evaluation split."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """One label for each text, from one pass over the evaluation split."""

    targets: Indices
    """Index of the true label, (texts,)."""
    logits: NDArray[np.float32]
    """Scores before softmax, (texts, labels)."""
    loss: float
    """Mean cross-entropy, in nats per text."""

    @property
    def predicted(self) -> Indices:
        """Index of the predicted label, (texts,)."""
        indices: Indices = self.logits.argmax(axis=1)
        return indices

    @property
    def probabilities(self) -> Floats:
        """Probability of each label, (texts, labels); rows add up to 1."""
        probabilities: Floats = np.exp(self._log_probabilities)
        return probabilities

    @property
    def losses(self) -> Floats:
        """Cross-entropy of each text, in nats, (texts,)."""
        losses: Floats = -self._log_probabilities[np.arange(len(self.targets)), self.targets]
        return losses

    @cached_property
    def _log_probabilities(self) -> Floats:
        logs: Floats = log_softmax(self.logits.astype(np.float64), axis=1)
        return logs
