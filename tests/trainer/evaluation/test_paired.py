"""Whether two models differ by more than chance, where the answer is known."""

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import f1_score

from trainingrun_trainer.evaluation import PairedScores, paired_scores

Array = np.ndarray


def judged(only_first: int, only_second: int, texts: int, labels: int = 3) -> tuple[Array, Array, Array]:
    """Both models are right, but for texts that only one of them has right."""
    targets = np.random.default_rng(1).integers(0, labels, texts)
    first, second = targets.copy(), targets.copy()
    first[:only_second] = (targets[:only_second] + 1) % labels
    second[only_second : only_first + only_second] = (
        targets[only_second : only_first + only_second] + 1
    ) % labels
    return targets, first, second


def paired(only_first: int, only_second: int, texts: int) -> PairedScores:
    return paired_scores(*judged(only_first, only_second, texts), 3)


def test_a_model_beside_itself_makes_no_difference() -> None:
    targets, first, _ = judged(20, 30, 200)
    found = paired_scores(targets, first, first, 3)
    for difference in (found.accuracy, found.macro_f1):
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert not difference.beyond_chance
    assert (found.differing, found.decisive, found.enough) == (0, 0, False)


def test_a_model_that_is_right_where_the_other_is_wrong_is_better() -> None:
    found = paired(5, 45, 300)
    assert found.accuracy.value == pytest.approx(40 / 300)
    assert found.accuracy.beyond_chance
    assert found.macro_f1.beyond_chance
    assert (found.differing, found.decisive, found.enough) == (50, 50, True)


def test_a_tiny_difference_may_be_chance() -> None:
    found = paired(7, 9, 300)
    assert found.accuracy.value == pytest.approx(2 / 300)
    assert found.enough
    assert not found.accuracy.beyond_chance
    assert not found.macro_f1.beyond_chance


@pytest.mark.parametrize(("only_second", "enough"), [(5, False), (6, True)])
def test_fewer_texts_than_a_sign_test_needs_tell_nothing(only_second: int, enough: bool) -> None:
    assert paired(0, only_second, 300).enough is enough


def test_the_interval_of_the_accuracy_is_that_of_a_mean() -> None:
    """Of many texts, the difference is normally distributed, with the standard error of a mean."""
    found = paired(300, 500, 5000).accuracy
    moved = np.repeat([-1, 1, 0], [300, 500, 4200])
    margin = 1.96 * moved.std() / np.sqrt(5000)
    assert (found.low, found.high) == pytest.approx((0.04 - margin, 0.04 + margin), abs=0.0015)


def test_the_interval_of_macro_f1_is_scipys() -> None:
    targets, first, second = judged(10, 20, 150)

    def gain(drawn: Array) -> float:
        scores = [
            f1_score(targets[drawn], given[drawn], labels=range(3), average="macro", zero_division=0)
            for given in (first, second)
        ]
        return scores[1] - scores[0]

    ours = paired_scores(targets, first, second, 3).macro_f1
    theirs = scipy_bootstrap(
        (np.arange(150),), gain, n_resamples=200, method="percentile", vectorized=False, rng=1
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.025)


def test_the_order_of_the_models_turns_the_sign_alone() -> None:
    targets, first, second = judged(7, 30, 300)
    one, other = paired_scores(targets, first, second, 3), paired_scores(targets, second, first, 3)
    assert other.accuracy.value == -one.accuracy.value
    assert (other.accuracy.low, other.accuracy.high) == pytest.approx(
        (-one.accuracy.high, -one.accuracy.low), abs=0.01
    )


def test_several_labels_a_text_are_right_when_all_are() -> None:
    targets = np.tile([[1, 1, 0, 0], [0, 0, 1, 0]], (50, 1))
    first = targets.copy()
    first[:40:2, 1] = 0
    found = paired_scores(targets, first, targets, 4)
    assert found.accuracy.value == pytest.approx(0.2)
    assert found.accuracy.beyond_chance
    # The last label has no text, so it doesn't count.
    assert found.macro_f1.second == 1
    assert found.macro_f1.first == pytest.approx((1 + 60 / 80 + 1) / 3)
