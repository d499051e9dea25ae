"""Expected calibration error is what its definition says."""

import numpy as np
import pytest

from trainingrun_trainer.evaluation.probabilities import calibration


def with_confidence(confidence: float, right: int, texts: int) -> tuple[np.ndarray, np.ndarray]:
    """Two labels, the first always predicted with this probability and right so often."""
    probabilities = np.tile([confidence, 1 - confidence], (texts, 1))
    return np.where(np.arange(texts) < right, 0, 1), probabilities


def test_probabilities_that_come_true_have_no_error() -> None:
    assert calibration(*with_confidence(0.8, 80, 100)).expected_error == pytest.approx(0)


def test_the_error_is_the_mean_gap_weighted_by_texts() -> None:
    sure, unsure = with_confidence(0.95, 60, 100), with_confidence(0.55, 165, 300)
    both = calibration(np.concatenate([sure[0], unsure[0]]), np.concatenate([sure[1], unsure[1]]))
    assert both.expected_error == pytest.approx(0.25 * 0.35)
    assert {round(one.low, 1): one.support for one in both.bins if one.support} == {0.5: 300, 0.9: 100}
    last = both.bins[-1]
    assert (last.confidence, last.accuracy) == (pytest.approx(0.95), pytest.approx(0.6))


def test_full_confidence_falls_into_the_last_bin() -> None:
    result = calibration(*with_confidence(1.0, 10, 10))
    assert result.bins[-1].support == 10
    assert result.expected_error == 0
