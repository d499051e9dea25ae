"""Linear classifiers on the untrained body: where a new head starts, and which labels are likely wrong.

Linear probing before fine-tuning keeps the body's features from being distorted by a random head
(Kumar et al., ICLR 2022, arXiv:2202.10054).
"""

import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from torch import Tensor

from ..evaluation import Floats, FoundIssues, Indices, find_label_issues
from ..evaluation.label_issues import LEAST_TEXTS
from ..model import Classifier
from .batches import Batch
from .passes import finite, gathered, infer

MAX_TEXTS = 20_000
"""A start needs no more texts than these."""

HEAD_REGULARIZATION = 10.0
"""scikit-learn's C. At its default of 1, a head on embeddings of length 1 is so unsure of each label that
training goes into its confidence: with 8 texts in each of 150 classes of CLINC150, on texts of the training
file that were not drawn, C = 1 has 88.1% before training and 91.2% after, C = 10 90.8% and 93.1% (one seed,
all-MiniLM-L6-v2, 5 epochs at 1e-4)."""

TOLERANCE = 1e-3
"""scikit-learn's tol, ten times its default: wrong labels are found as well, in half the time."""

FOLDS = 5
"""Each text is judged by a regression on four fifths of the others; on nine tenths it is no better."""

ISSUES_REGULARIZATION = 1.0
"""scikit-learn's C: a regression that follows wrong labels less than the one a head starts from, at 10. Of
10 % wrong labels of the example tickets, the average precision is 87 % with this one, and 81 % with that."""

Regression = Callable[[NDArray[np.float32], NDArray[np.int64], int, bool], "Solution | None"]
"""Solves for embeddings (texts, dimensions), targets, the number of labels, and whether these count the same
whatever their counts; None when it can't."""


class Solution(NamedTuple):
    """A linear layer."""

    weight: NDArray[np.float64]
    """(labels, dimensions)."""
    bias: NDArray[np.float64]
    """(labels,)."""


class Scale(NamedTuple):
    """How embeddings are put on the scale that HEAD_REGULARIZATION is for."""

    center: NDArray[np.float32]
    """What becomes 0, (dimensions,)."""
    length: float
    """What becomes 1."""

    @classmethod
    def of(cls, embeddings: NDArray[np.float32]) -> Self:
        """Embeddings of length 1 stay as they are. Others get their mean as center and their mean distance
        from it as length, since those of models that never learned to compare texts have most of their length
        in common. None is made longer: weights that make much of little are far off after a few steps.
        """
        if np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3):
            return cls(np.zeros_like(embeddings[0]), 1.0)
        center = embeddings.mean(axis=0)
        length = float(np.linalg.norm(embeddings - center, axis=1).mean())
        return cls(center, max(length, 1.0))

    def scaled(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The embeddings on that scale."""
        return (embeddings - self.center) / np.float32(self.length)

    def unscaled(self, solution: Solution) -> Solution:
        """The layer that makes of embeddings as they are what `solution` makes of scaled ones."""
        weight = solution.weight / self.length
        return Solution(weight, solution.bias - weight @ self.center)


class Probed(NamedTuple):
    """What a body makes of texts of the training split."""

    rows: NDArray[np.int64]
    """Where they stand in it, (texts,)."""
    embeddings: NDArray[np.float32]
    """On `scale`, (texts, dimensions)."""
    targets: NDArray[np.int64]
    """Label indices, (texts,), or 0 and 1, (texts, labels)."""
    scale: Scale

    @classmethod
    def of(cls, rows: Tensor, embeddings: Tensor, targets: Tensor) -> Self:
        """Raises DivergedError when embeddings are not finite."""
        values = embeddings.numpy()
        finite(float(np.abs(values).max()), "an embedding")
        scale = Scale.of(values)
        return cls(rows.numpy(), scale.scaled(values), targets.numpy(), scale)


def embed(classifier: Classifier, loader: Iterable[Batch]) -> list[Tensor] | None:
    """Rows, embeddings and targets of texts of the training split, as `gathered`; None of an output layer
    that reads each token by itself.
    """
    classifier.network.eval()

    def embedded(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        return batch.rows, classifier.embed(batch.columns[0]).float(), batch.targets

    parts = list(infer(classifier.network, loader, embedded))
    return None if parts[0][1].ndim > 2 else gathered(parts)


def start_at(
    classifier: Classifier, probed: Probed, regression: Regression, *, balanced: bool = False
) -> bool:
    """Set the output layer to `regression` on the embeddings.

    False, with the head as it was, when the texts that are looked at don't say enough.
    """
    solution = regression(probed.embeddings, probed.targets, len(classifier.labels), balanced)
    if solution is None:
        return False
    weight, bias = probed.scale.unscaled(solution)
    classifier.set_output(torch.from_numpy(weight), torch.from_numpy(bias))
    return True


def softmax_regression(
    embeddings: NDArray[np.float32], targets: NDArray[np.int64], labels: int, balanced: bool
) -> Solution | None:
    """Of targets (texts,) that are label indices. None when not every label is among them."""
    if len(np.unique(targets)) < labels:
        return None
    solution = _solve(embeddings, targets, balanced)
    if labels == 2:  # one row tells two labels apart: half of it for each
        return Solution(*(np.concatenate([-part, part]) / 2 for part in solution))
    return solution


def one_against_rest(
    embeddings: NDArray[np.float32], targets: NDArray[np.int64], labels: int, balanced: bool
) -> Solution | None:
    """Of targets (texts, labels) that are 0 or 1. None when all texts, or none, have one of the labels."""
    if np.isin(targets.sum(axis=0), (0, len(targets))).any():
        return None
    solutions = [_solve(embeddings, targets[:, label], balanced) for label in range(labels)]
    return Solution(*(np.concatenate(parts) for parts in zip(*solutions, strict=True)))


def _solve(embeddings: NDArray[np.float32], targets: NDArray[np.int64], balanced: bool) -> Solution:
    weights = "balanced" if balanced else None
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # a start need not be the end
        solved = LogisticRegression(C=HEAD_REGULARIZATION, max_iter=300, class_weight=weights).fit(
            embeddings, targets
        )
    return Solution(solved.coef_, solved.intercept_)


def training_label_issues(probed: Probed) -> FoundIssues | None:
    """Those of texts with one label each that a new head was started from; None where none is judged."""
    enough = np.bincount(probed.targets)[probed.targets] >= LEAST_TEXTS
    targets = probed.targets[enough]
    labels, known = np.unique(targets, return_inverse=True)
    if len(labels) < 2:
        return None
    probabilities = np.zeros((len(targets), labels[-1] + 1))
    probabilities[:, labels] = _held_out(probed.embeddings[enough], known)
    return find_label_issues(targets, probabilities, probed.rows[enough])


def _held_out(embeddings: NDArray[np.float32], targets: Indices) -> Floats:
    """Probability of each label, (texts, labels), from regressions that did not see the text."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    regression = LogisticRegression(C=ISSUES_REGULARIZATION, tol=TOLERANCE)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # near enough is enough
        found: Floats = cross_val_predict(regression, embeddings, targets, cv=folds, method="predict_proba")
    return found
