"""Labels are learned with less certainty when that is asked for, and scored with all of it."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import BCEWithLogitsLoss, CrossEntropyLoss

from trainingrun_api.training import ClassWeights, Training
from trainingrun_trainer.model import load
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import (
    Classification,
    MultiLabelClassification,
    SingleLabelClassification,
    fit,
    prepare,
)
from trainingrun_trainer.training.batches import Batch

LABELS = ["billing", "login"]

SMOOTHED = Training(label_smoothing=0.2)


def objective_of(folder: Path, settings: Training, *, several: bool = False) -> Classification:
    torch.manual_seed(0)
    classifier = load(folder, "uri", LABELS, multi_label=several)
    texts = classifier.encode([Example(f"my card {n}", (LABELS[n % 8 == 0],)) for n in range(64)])
    kind = MultiLabelClassification if several else SingleLabelClassification
    objective: Classification = kind(classifier, texts, texts, settings)
    objective.network.eval()
    return objective


def batch_and_logits(objective: Classification) -> tuple[Batch, Tensor]:
    batch = next(iter(objective.training_batches(batch_size=64, seed=1)))
    return batch, objective._classifier.logits(batch.columns[0])


@torch.no_grad()
def test_one_label_is_smoothed_as_torch_does_it(pooled_model: Path) -> None:
    objective = objective_of(pooled_model, SMOOTHED)
    batch, logits = batch_and_logits(objective)
    expected = CrossEntropyLoss(label_smoothing=0.2)(logits, batch.targets)
    assert float(objective.loss(batch)) == pytest.approx(float(expected), rel=1e-5)
    assert float(expected) != pytest.approx(float(CrossEntropyLoss()(logits, batch.targets)), rel=1e-2)


@torch.no_grad()
def test_several_labels_are_each_wanted_a_little_less_or_more(pooled_model: Path) -> None:
    objective = objective_of(pooled_model, SMOOTHED, several=True)
    batch, logits = batch_and_logits(objective)
    wanted = torch.where(batch.targets > 0, 0.9, 0.1)
    expected = BCEWithLogitsLoss(reduction="none")(logits, wanted).sum(dim=1).mean()
    assert float(objective.loss(batch)) == pytest.approx(float(expected), rel=1e-5)


@torch.no_grad()
def test_smoothed_labels_have_the_weights_of_their_classes(pooled_model: Path) -> None:
    balanced = SMOOTHED.model_copy(update={"class_weights": ClassWeights.BALANCED})
    objective = objective_of(pooled_model, balanced)
    batch, logits = batch_and_logits(objective)
    weight = torch.tensor([64 / (2 * 56), 64 / (2 * 8)])
    whole = CrossEntropyLoss(weight, label_smoothing=0.2, reduction="sum")(logits, batch.targets)
    assert float(objective.loss(batch)) == pytest.approx(float(whole) / 64, rel=1e-5)


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
def test_the_evaluation_loss_is_unsmoothed(pooled_model: Path, *, several: bool) -> None:
    found = []
    for settings in (Training(), SMOOTHED):
        objective = objective_of(pooled_model, settings, several=several)
        outcome = objective.evaluate(objective.evaluation_batches(batch_size=64))
        found.append(outcome.loss)
    assert found[0] == found[1]


def test_a_model_of_smoothed_labels_is_less_sure(pooled_model: Path) -> None:
    certainty, training_losses = [], []
    for smoothing in (0.0, 0.4):
        settings = Training(
            max_epochs=4, batch_size=8, learning_rate=5e-3, adversarial_epsilon=0, label_smoothing=smoothing
        )
        state = prepare(objective_of(pooled_model, settings), settings)
        list(fit(state, settings))
        outcome = state.evaluate()
        certainty.append(float(outcome.output.probabilities.max(axis=1).mean()))
        training_losses.append(state.history.epochs[-1].training_loss)
    assert certainty[0] > certainty[1]
    assert training_losses[0] < training_losses[1]
