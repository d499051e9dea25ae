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
    score_predictions,
)

LABELS = ["a", "b", "c", "never"]


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    targets = random.integers(0, 3, 200)
    return targets, np.where(random.random(200) < 0.7, targets, random.integers(0, 3, 200))


def test_averages_and_classes_equal_scikit_learns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    scores = score(*pair, LABELS)
    one_hot = np.eye(4, dtype=int)
    expected = classification_report(
        one_hot[pair[0]], one_hot[pair[1]], target_names=LABELS, zero_division=0, output_dict=True
    )
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


def test_micro_f1_is_accuracy_and_macro_counts_labels_without_texts(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    scores = score(*pair, LABELS)
    assert scores.averages.micro.f1 == pytest.approx(scores.accuracy)
    expected = f1_score(*pair, labels=range(4), average="macro", zero_division=0)
    assert macro_f1(*pair, 4) == pytest.approx(expected)


def test_rows_of_the_confusion_matrix_are_true_labels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    confusion = score(*pair, LABELS).confusion_matrix
    assert confusion.counts == confusion_matrix(*pair, labels=range(4)).tolist()
    assert [sum(row) for row in confusion.row_percentages] == pytest.approx([100, 100, 100, 0])


def test_correlation_and_top_accuracies_are_scikit_learns() -> None:
    random = np.random.default_rng(3)
    targets, logits = random.integers(0, 4, 200), random.normal(size=(200, 4)).astype(np.float32)
    logits[np.arange(200), targets] += 1
    predictions = Predictions(targets, logits, loss=0)
    scores = score_predictions(predictions, LABELS)
    assert scores.matthews == pytest.approx(matthews_corrcoef(targets, logits.argmax(axis=1)))
    assert {one.k: one.accuracy for one in scores.top_accuracies} == {
        k: pytest.approx(top_k_accuracy_score(targets, logits, k=k)) for k in (2, 3)
    }
    assert predictions.losses.mean() == pytest.approx(log_loss(targets, predictions.probabilities))
