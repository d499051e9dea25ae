"""Intervals are those that drawing texts one by one gives."""

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import f1_score

from trainingrun_trainer.evaluation.intervals import bootstrap


def predictions(texts: int, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    targets = random.integers(0, labels, texts)
    return targets, np.where(random.random(texts) < 0.7, targets, random.integers(0, labels, texts))


@pytest.mark.parametrize("labels", [3, 60], ids=["common-labels", "rare-labels"])
def test_both_intervals_equal_scipys(labels: int) -> None:
    targets, predicted = predictions(150, labels)

    def f1(drawn: np.ndarray) -> float:
        pair = targets[drawn], predicted[drawn]
        return f1_score(*pair, labels=np.unique(pair[0]), average="macro", zero_division=0)

    ours = bootstrap(targets, predicted, labels)
    for interval, statistic in (
        (ours.accuracy, lambda drawn: (targets[drawn] == predicted[drawn]).mean()),
        (ours.macro_f1, f1),
    ):
        theirs = scipy_bootstrap(
            (np.arange(150),), statistic, n_resamples=1000, method="percentile", vectorized=False, rng=1
        ).confidence_interval
        assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_more_texts_make_it_narrower_and_the_same_texts_the_same() -> None:
    few, many = bootstrap(*predictions(100), 3).accuracy, bootstrap(*predictions(10_000), 3).accuracy
    assert many.high - many.low < (few.high - few.low) / 5
    assert bootstrap(*predictions(100), 3).accuracy == few


def test_all_right_is_certain() -> None:
    targets, _ = predictions(50)
    assert bootstrap(targets, targets, 3).macro_f1.low == 1
