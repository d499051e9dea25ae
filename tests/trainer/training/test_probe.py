"""The start of a new head: regression on embeddings of any scale."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from trainingrun_trainer.training.probe import HEAD_REGULARIZATION, Scale, Solution, softmax_regression

TARGETS = np.arange(60) % 3


def embeddings() -> NDArray[np.float32]:
    """Of texts of three labels; each has length 1."""
    random = np.random.default_rng(0)
    found = random.normal(size=(60, 8)) + 2 * np.eye(8)[TARGETS]
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def solved(found: NDArray[np.float32]) -> Solution:
    scale = Scale.of(found)
    solution = softmax_regression(scale.scaled(found), TARGETS, 3, False)
    assert solution is not None
    return scale.unscaled(solution)


def test_embeddings_of_length_one_are_solved_as_they_are() -> None:
    plain = LogisticRegression(C=HEAD_REGULARIZATION, max_iter=300).fit(embeddings(), TARGETS)
    assert np.allclose(solved(embeddings()).weight, plain.coef_)
    assert np.allclose(solved(embeddings()).bias, plain.intercept_)


@pytest.mark.parametrize("length", [2, 100])
def test_what_is_sure_of_a_text_does_not_depend_on_length_and_center(length: float) -> None:
    """A model whose embeddings are far from 0, near each other, is as good a start."""
    moved = embeddings() * length + 10 * length
    near, far = solved(embeddings() * 2), solved(moved)
    logits = embeddings() * 2 @ near.weight.T + near.bias
    assert np.allclose(moved @ far.weight.T + far.bias, logits, atol=0.05)


def test_short_embeddings_are_not_made_longer() -> None:
    """The weights that would make up for it, and their gradients, would be as large as they are short."""
    tiny = solved(embeddings() * 1e-3)
    assert np.abs(tiny.weight).max() < np.abs(solved(embeddings()).weight).max()
