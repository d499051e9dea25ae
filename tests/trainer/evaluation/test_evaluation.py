"""Scores are scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import (
    classification_report,
    confusion_matrix,
    f1_score,
    log_loss,
    matthews_corrcoef,
    top_k_accuracy_score,
)

from trainingrun_trainer.evaluation import (
    Predictions,
    macro_f1,
    score,
)

LABELS = ["a", "b", "c", "never"]


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    targets = random.integers(0, 3, 200)
    return targets, np.where(random.random(200) < 0.7, targets, random.integers(0, 3, 200))


@pytest.mark.parametrize("without_texts", [False, True], ids=["all-evaluated", "one-is-not"])
def test_averages_and_classes_equal_scikit_learns(
    pair: tuple[np.ndarray, np.ndarray], without_texts: bool
) -> None:
    targets, predicted = pair
    if without_texts:
        predicted[:10] = 3  # which no text has
    else:
        targets[:10] = 3
    scores = score(*pair, LABELS)
    one_hot = np.eye(4, dtype=int)
    options = {"zero_division": 0, "output_dict": True}
    expected = classification_report(one_hot[targets], one_hot[predicted], target_names=LABELS, **options)
    over_evaluated = classification_report(*pair, labels=np.unique(targets), **options)
    expected |= {f"{kind} avg": over_evaluated[f"{kind} avg"] for kind in ("macro", "weighted")}
    assert scores.evaluated_labels == len(scores.evaluated) == (3 if without_texts else 4)
    for kind in ("macro", "micro", "weighted", "samples"):
        average = getattr(scores.averages, kind)
        for value, name in (
            (average.precision, "precision"),
            (average.recall, "recall"),
            (average.f1, "f1-score"),
        ):
            assert value == pytest.approx(expected[f"{kind} avg"][name])
    for one in scores.classes:
        assert one.f1 == pytest.approx(expected[one.label]["f1-score"])
        assert one.support == expected[one.label]["support"]


def test_micro_f1_is_accuracy_also_where_a_label_without_texts_is_given(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    pair[1][:10] = 3
    scores = score(*pair, LABELS)
    assert scores.averages.micro.f1 == pytest.approx(scores.accuracy)
    expected = f1_score(*pair, labels=range(3), average="macro", zero_division=0)
    assert macro_f1(*pair) == scores.averages.macro.f1 == pytest.approx(expected)


def test_a_model_that_is_always_right_has_full_scores_whatever_was_not_evaluated() -> None:
    targets = np.repeat([0, 1, 2], [9, 9, 1])
    scores = Predictions(targets, 9 * np.eye(4, dtype=np.float32)[targets], loss=0).scores(LABELS)
    macro = scores.averages.macro
    assert (scores.accuracy, macro.precision, macro.recall, macro.f1) == (1, 1, 1, 1)
    # Most samples of as many texts lack the single text of the third label.
    assert scores.macro_f1_interval is not None
    assert (scores.macro_f1_interval.low, scores.macro_f1_interval.high) == (1, 1)


def test_rows_of_the_confusion_matrix_are_true_labels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    confusion = score(*pair, LABELS).confusion_matrix
    assert confusion.counts == confusion_matrix(*pair, labels=range(4)).tolist()
    assert [sum(row) for row in confusion.row_percentages] == pytest.approx([100, 100, 100, 0])


def test_correlation_and_top_accuracies_are_scikit_learns() -> None:
    random = np.random.default_rng(3)
    targets, logits = random.integers(0, 4, 200), random.normal(size=(200, 4)).astype(np.float32)
    logits[np.arange(200), targets] += 1
    predictions = Predictions(targets, logits, loss=0)
    scores = predictions.scores(LABELS)
    assert scores.matthews == pytest.approx(matthews_corrcoef(targets, logits.argmax(axis=1)))
    assert {one.k: one.accuracy for one in scores.top_accuracies} == {
        k: pytest.approx(top_k_accuracy_score(targets, logits, k=k)) for k in (2, 3)
    }
    assert predictions.losses.mean() == pytest.approx(log_loss(targets, predictions.probabilities))
