"""Start a new head where a linear classifier on the untrained body ends.

Linear probing before fine-tuning keeps the body's features from being distorted by a random head
(Kumar et al., ICLR 2022, arXiv:2202.10054).
"""

import warnings
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from ..model import PooledClassifier
from .batches import Batch

MAX_TEXTS = 20_000
"""A start needs no more texts than these."""


def probe(classifier: PooledClassifier, loader: Iterable[Batch]) -> bool:
    """Set the head to logistic regression on the embeddings of the training part.

    False, with the head as it was, when not every label is among the texts that are looked at.
    """
    embeddings, targets = _embed(classifier, loader)
    if len(np.unique(targets)) < len(classifier.labels):
        return False
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # a start need not be the end
        solved = LogisticRegression(max_iter=300)
        solved.fit(embeddings, targets)
    weight, bias = torch.from_numpy(solved.coef_), torch.from_numpy(solved.intercept_)
    if len(classifier.labels) == 2:  # one row tells two labels apart: half of it for each
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    classifier.set_head(weight, bias)
    return True


def _embed(
    classifier: PooledClassifier, loader: Iterable[Batch]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    classifier.network.eval()
    embeddings: list[Tensor] = []
    targets: list[Tensor] = []
    with torch.no_grad():
        for batch in loader:
            targets.append(batch.targets)
            embeddings.append(classifier.embed(batch.columns[0]).float())
            if sum(len(part) for part in targets) >= MAX_TEXTS:
                break
    return torch.cat(embeddings).cpu().numpy(), torch.cat(targets).cpu().numpy()
