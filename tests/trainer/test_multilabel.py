"""Several labels a text: thresholds and scores."""

import numpy as np
import pytest
from sklearn.metrics import classification_report, f1_score, hamming_loss, log_loss

from trainingrun_trainer.evaluation import MultiLabelPredictions
from trainingrun_trainer.evaluation.probabilities import best_threshold, cross_fitted

LABELS = ["a", "b", "c", "never"]


@pytest.fixture
def predictions() -> MultiLabelPredictions:
    """300 texts with none to three of three labels, and a model whose logits lie two too low."""
    random = np.random.default_rng(3)
    targets = (random.random((300, 4)) < (0.5, 0.3, 0.1, 0)).astype(np.int64)
    logits = (4 * targets - 4 + random.normal(0, 1.5, targets.shape)).astype(np.float32)
    return MultiLabelPredictions(targets, logits, loss=0)


def test_scores_equal_scikit_learns_with_a_label_that_no_text_has(
    predictions: MultiLabelPredictions,
) -> None:
    predictions.logits[:5, 3] = 9  # and that is given all the same
    targets, predicted = predictions.targets, predictions.predicted
    scores = predictions.scores(LABELS)
    options = {"zero_division": 0, "output_dict": True}
    expected = classification_report(targets, predicted, target_names=LABELS, **options)
    over_evaluated = classification_report(targets, predicted, labels=[0, 1, 2], **options)
    expected |= {f"{kind} avg": over_evaluated[f"{kind} avg"] for kind in ("macro", "weighted")}
    assert scores.evaluated_labels == 3
    for kind in ("macro", "micro", "weighted", "samples"):
        average = getattr(scores.averages, kind)
        found = (average.precision, average.recall, average.f1)
        report = expected[f"{kind} avg"]
        assert found == pytest.approx((report["precision"], report["recall"], report["f1-score"]))
    for one in scores.classes:
        report = expected[one.label]
        assert (one.precision, one.recall, one.f1, one.support) == pytest.approx(
            (report["precision"], report["recall"], report["f1-score"], report["support"])
        )
    assert scores.classes[3].f1 == 0
    assert scores.hamming_loss == hamming_loss(targets, predicted)
    assert scores.accuracy == (targets == predicted).all(axis=1).mean()


def test_intervals_are_those_of_texts_drawn_with_replacement(predictions: MultiLabelPredictions) -> None:
    scores = predictions.scores(LABELS)
    random = np.random.default_rng(5)
    drawn = [random.integers(0, 300, 300) for _ in range(400)]
    f1s = [
        f1_score(predictions.targets[texts], predictions.predicted[texts], labels=[0, 1, 2], average="macro")
        for texts in drawn
    ]
    assert scores.macro_f1_interval is not None
    found = (scores.macro_f1_interval.low, scores.macro_f1_interval.high)
    assert found == pytest.approx(np.percentile(f1s, [2.5, 97.5]), abs=0.01)
    assert found[0] < scores.averages.macro.f1 < found[1]


def test_the_loss_of_a_text_is_the_sum_over_its_labels(predictions: MultiLabelPredictions) -> None:
    each = [
        log_loss(predictions.targets[:, label], predictions.probabilities[:, label], labels=[0, 1])
        for label in range(4)
    ]
    assert predictions.losses.mean() == pytest.approx(sum(each))


def test_no_threshold_has_a_higher_micro_f1_than_the_chosen_one(predictions: MultiLabelPredictions) -> None:
    targets, probabilities = predictions.targets, predictions.probabilities
    chosen = f1_score(targets, predictions.predicted, average="micro")
    others = [f1_score(targets, probabilities >= t, average="micro") for t in np.linspace(0.01, 0.99, 99)]
    assert chosen >= max(others)
    assert chosen > others[49] + 0.01  # the logits are too low, so 0.5 misses labels
    assert predictions.threshold < 0.4


def test_a_threshold_lies_between_what_it_separates() -> None:
    targets = np.array([[1, 0], [0, 1]])
    assert best_threshold(targets, np.array([[0.8, 0.1], [0.3, 0.6]])) == pytest.approx(0.45)
    assert best_threshold(targets, np.full((2, 2), 0.7)) == pytest.approx(0.35)  # all or none
    assert best_threshold(np.zeros((2, 2), dtype=np.int64), np.full((2, 2), 0.7)) == 0.5


def test_cross_fitted_labels_are_those_of_a_threshold_chosen_elsewhere() -> None:
    targets = np.zeros((5, 2), dtype=np.int64)
    targets[:, 0] = 1
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.3, 0.1]])
    assert best_threshold(targets, probabilities) == pytest.approx(0.2)
    given = cross_fitted(targets, probabilities)
    assert given[:, 0].tolist() == [1, 1, 1, 1, 0]  # the last text alone is what lowers the threshold to 0.2
    assert not given[:, 1].any()


def test_chance_is_not_flattered() -> None:
    random = np.random.default_rng(0)
    targets = (random.random((40, 2)) < 0.3).astype(np.int64)
    logits = random.normal(size=(40, 2)).astype(np.float32)
    scores = MultiLabelPredictions(targets, logits, loss=0).scores(["a", "b"])
    assert scores.threshold is not None
    assert scores.threshold.cross_fitted_micro_f1 < scores.averages.micro.f1


def test_the_confusion_matrix_sets_wrong_labels_against_missed_ones() -> None:
    targets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]])
    given = np.array([[1, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 0]])
    predictions = MultiLabelPredictions(targets, np.where(given == 1, 9.0, -9.0).astype(np.float32), loss=0)
    confusion = predictions.scores(["a", "b", "c"]).confusion_matrix
    # Text 2 missed a and was given c; text 3 missed nothing; text 4 missed a and was given nothing.
    assert confusion.counts == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert confusion.row_percentages[0] == pytest.approx([100 / 3, 0, 100 / 3])
