"""Rare labels count as much as frequent ones when that is asked for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from trainingrun_api.training import ClassWeights, Training
from trainingrun_trainer.model import load
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import (
    MultiLabelClassification,
    SingleLabelClassification,
    fit,
    prepare,
)
from trainingrun_trainer.training.classification import decision_weights, label_weights

LABELS = ["billing", "login"]


def rows() -> list[Example]:
    """Texts that look alike to the model, one in eight about logging in."""
    return [Example(f"my card {n}", (LABELS[n % 8 == 0],)) for n in range(64)]


def probability_of_login(
    folder: Path, weights: ClassWeights, *, several: bool, trained: bool
) -> tuple[float, float]:
    """Mean probability of the rare label, and the evaluation loss."""
    torch.manual_seed(0)
    classifier = load(folder, "uri", LABELS, multi_label=several)
    texts = classifier.encode(rows())
    task = MultiLabelClassification if several else SingleLabelClassification
    settings = Training(max_epochs=4, batch_size=8, learning_rate=5e-3, class_weights=weights)
    objective = task(classifier, texts, texts, settings)
    state = prepare(objective, settings)
    if trained:
        list(fit(state, settings))
    else:
        objective.start_head(state.training)
    outcome = state.evaluate()
    return float(outcome.output.probabilities[:, 1].mean()), outcome.loss


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
@pytest.mark.parametrize("trained", [False, True], ids=["start", "trained"])
def test_a_rare_label_is_as_probable_as_a_frequent_one(
    pooled_model: Path, *, several: bool, trained: bool
) -> None:
    usual, low = probability_of_login(pooled_model, ClassWeights.NONE, several=several, trained=trained)
    balanced, high = probability_of_login(
        pooled_model, ClassWeights.BALANCED, several=several, trained=trained
    )
    assert usual < 0.25
    assert 0.35 < balanced < 0.65
    assert low < high  # the evaluation loss has no weights


def test_weights_are_those_of_scikit_learn() -> None:
    targets = np.array([0] * 7 + [1] * 2 + [2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    assert label_weights(targets, 3).present.numpy() == pytest.approx(expected)
    several = np.array([[1, 1]] * 2 + [[0, 1]] * 6)
    weighting = decision_weights(several, 2)
    expected = compute_class_weight("balanced", classes=np.arange(2), y=several[:, 0])
    assert [float(weighting.absent[0]), float(weighting.present[0])] == pytest.approx(list(expected))


def test_parts_of_a_batch_add_up_to_its_weighted_loss(pooled_model: Path) -> None:
    classifier = load(pooled_model, "uri", LABELS)
    texts = classifier.encode(rows())
    balanced = Training(class_weights=ClassWeights.BALANCED)
    objective = SingleLabelClassification(classifier, texts, texts, balanced)
    (whole,) = objective.training_batches(batch_size=64, seed=1)
    with torch.no_grad():
        parts = sum(objective.loss(part) for part in whole.parts(4))
        assert float(parts) == pytest.approx(float(objective.loss(whole)), rel=1e-5)
