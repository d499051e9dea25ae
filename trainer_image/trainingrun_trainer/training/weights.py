"""Weights that make rare labels count as much as frequent ones, as scikit-learn's "balanced" has them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..records import Targets


class ClassWeighting(NamedTuple):
    """How much a text counts in the loss; the mean over the texts of the training split is 1."""

    present: Tensor
    """Of having each label, (labels,)."""
    absent: Tensor
    """Of not having it, (labels,); of use where a text may have several."""

    def of_decisions(self, targets: Tensor) -> Tensor:
        """Of targets that are 0 or 1, (texts, labels)."""
        return torch.where(targets > 0, self.present.to(targets.device), self.absent.to(targets.device))


def balanced_weights(targets: Targets, labels: int) -> ClassWeighting:
    """Texts / (classes x texts of the class).

    Of label indices (texts,), each label is a class; of 0 and 1 (texts, labels), each label is two classes,
    with it and without.
    """
    texts = len(targets)
    if targets.ndim == 1:
        counts = np.bincount(targets, minlength=labels)
        return ClassWeighting(_weights(texts, labels, counts), torch.ones(labels))
    having = targets.sum(axis=0)
    return ClassWeighting(_weights(texts, 2, having), _weights(texts, 2, texts - having))


def _weights(texts: int, classes: int, counts: Targets) -> Tensor:
    return torch.from_numpy(texts / (classes * np.maximum(counts, 1))).float()
