"""Training that went on too long, ended too early, or learned too little."""

import math
from typing import Any

import pytest

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import Curves
from trainingrun_api.spec import RunSettings
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import Training
from trainingrun_trainer.advice import Evidence, advise
from trainingrun_trainer.evaluation import loss_of_guessing_several

from .evidence import FALLING, counts, epoch, evidence, scores, trained, types


def of_epochs(number: int, **training: Any) -> RunSettings:
    return RunSettings(training=Training(max_epochs=number, **training))


def test_an_evaluation_loss_that_rises_while_the_training_loss_falls_is_overfitting() -> None:
    (found,) = advise(trained([0.5, 0.4, 0.3, 0.38, 0.45], [0.5, 0.4, 0.3, 0.2, 0.1]))
    assert (found.type, found.severity) == (FindingType.OVERFITTING, Severity.INFO)
    assert found.message == (
        "From epoch 3 on the evaluation loss rose, from 0.3 to 0.45, while the training loss fell to 0.1"
    )
    assert found.suggestion.startswith("Epoch 2 is published.")


@pytest.mark.parametrize(
    ("losses", "training"),
    [
        ([0.5, 0.4, 0.3, 0.31, 0.33], [0.5, 0.4, 0.3, 0.2, 0.1]),  # as losses go up and down
        ([0.5, 0.4, 0.3, 0.45], [0.5, 0.4, 0.3, 0.2]),  # one epoch
        ([0.5, 0.4, 0.3, 0.38, 0.45], [0.5, 0.4, 0.3, 0.4, 0.5]),  # the training loss rose too
    ],
    ids=["little", "once", "both"],
)
def test_an_evaluation_loss_that_rises_otherwise_is_not(losses: list[float], training: list[float]) -> None:
    assert types(trained(losses, training)) == []


def test_a_loss_that_still_falls_in_the_last_epoch_asks_for_more() -> None:
    (found,) = advise(trained([0.9, 0.6, 0.4], settings=of_epochs(2)))
    assert (found.type, found.severity) == (FindingType.TOO_FEW_EPOCHS, Severity.WARNING)
    assert found.suggestion.startswith("Raise spec.training.maxEpochs from 2 to 4")


def test_a_loss_that_has_settled_or_was_stopped_early_does_not() -> None:
    assert types(trained([0.9, 0.41, 0.4], settings=of_epochs(2))) == []
    assert types(trained([0.9, 0.6, 0.4], settings=of_epochs(9))) == []
    assert types(trained([0.9, 0.4, 0.41], settings=of_epochs(2))) == []


def test_a_model_that_is_always_right_needs_no_more_epochs() -> None:
    right = [epoch(0, 0.9), epoch(1, 0.3, accuracy=1, f1=1), epoch(2, 0.1, accuracy=1, f1=1)]
    curves = Curves(training_loss=FALLING, epochs=right)
    assert types(evidence(curves=curves, settings=of_epochs(2))) == []


def test_training_that_gains_nothing_says_so_unless_it_was_unstable() -> None:
    (found,) = advise(trained([0.5, 0.55, 0.52]))
    assert (found.type, found.severity) == (FindingType.NOTHING_GAINED, Severity.INFO)
    assert "its evaluation loss is 0.5, the best after training 0.52" in found.message
    assert types(trained([0.5, 0.9, 1.9])) == [FindingType.EVALUATION_LOSS_ROSE]


def test_another_epoch_with_a_higher_score_is_named_with_the_metric_that_chooses_it() -> None:
    (found,) = advise(of_scores((0.9, 0.61), (0.4, 0.6), (0.5, 0.64)))
    assert (found.type, found.severity) == (FindingType.BETTER_EPOCH, Severity.INFO)
    assert found.message == ("Epoch 2 has Spearman 0.640; epoch 1, which EvaluationLoss chose, has 0.600")
    assert found.suggestion.endswith("set spec.training.earlyStopping.metric to Spearman")
    assert found.evidence == {"epoch": 2, "score": 0.64, "publishedScore": 0.6}
    (lost,) = advise(of_scores((0.9, 0.662), (0.4, 0.6), (0.5, 0.61)))
    assert lost.severity is Severity.WARNING
    assert lost.message.startswith("The model before training has Spearman 0.662")
    right = [epoch(0, 0.9, accuracy=0.8, f1=0.8), epoch(1, 0.4, accuracy=0.8, f1=0.7)]
    (found,) = advise(evidence(curves=Curves(training_loss=FALLING, epochs=right)))
    assert found.suggestion.endswith("earlyStopping.metric to F1")


def test_a_score_that_is_higher_by_chance_or_while_training_goes_on_is_not() -> None:
    assert types(of_scores((0.9, 0.615), (0.4, 0.6))) == []
    assert types(of_scores((0.9, 0.662), (0.4, 0.6), finished=False)) == []
    assert types(of_scores((0.9, 0.662), (0.4, 0.6), data=counts({}, evaluation=40))) == []


def of_scores(*epochs: tuple[float, float], **changes: Any) -> Evidence:
    """An embedding model's run on scored pairs, 500 to evaluate on: evaluation loss and Spearman by epoch."""
    scored = [
        EpochSummary(
            epoch=number, training_loss=0.2, evaluation_loss=loss, spearman=spearman, learning_rate=1e-4
        )
        for number, (loss, spearman) in enumerate(epochs)
    ]
    run: dict[str, Any] = {
        "curves": Curves(training_loss=FALLING, epochs=scored),
        "loss_of_guessing": math.inf,
        "scores": None,
        "data": counts({}, evaluation=500),
    }
    return evidence(**(run | changes))


def test_a_training_loss_near_that_of_guessing_is_underfitting() -> None:
    (found,) = advise(trained([1.0, 0.9, 0.85], [1.0, 0.9, 0.8]))
    assert (found.type, found.severity) == (FindingType.UNDERFITTING, Severity.WARNING)
    assert found.evidence == {"trainingLoss": 0.8, "lossOfGuessing": 1.099}  # ln 3
    assert "learningRate (0.0004)" in found.suggestion
    (frozen,) = advise(trained([1.0, 0.9], [1.0, 0.8], settings=of_epochs(5, freeze_body=True)))
    assert frozen.suggestion.startswith("Leave out spec.training.freezeBody")
    smoothed = of_epochs(5, label_smoothing=0.1)  # whose loss is another one
    assert types(trained([1.0, 0.9], [1.0, 0.8], settings=smoothed)) == []


def test_training_that_goes_on_is_not_blamed_for_what_it_has_not_done_yet() -> None:
    assert types(trained([1.0, 1.1], [1.0, 0.9], finished=False)) == []


def test_what_guessing_costs_follows_from_how_frequent_labels_are() -> None:
    rare = {"data": counts({"often": (99, 9), "seldom": (1, 1)}), "scores": scores([[9, 0], [0, 1]], "ab")}
    losses = ([0.06, 0.05], [0.06, 0.05])
    assert FindingType.UNDERFITTING in types(trained(*losses, **rare))  # 0.056 nats to guess 1 of 100
    assert FindingType.UNDERFITTING not in types(trained(*losses))
    half = counts({"one": (50, 5), "other": (50, 5)}, training=100)
    several = {"data": half, "loss_of_guessing": loss_of_guessing_several(half)}
    assert FindingType.UNDERFITTING in types(trained([0.8, 0.75], [0.8, 0.75], **several))
    assert FindingType.UNDERFITTING not in types(trained([0.8, 0.5], [0.8, 0.5], **several))


def test_a_loss_that_is_no_likelihood_is_not_compared_with_guessing() -> None:
    assert types(trained([2.0, 1.9], [2.0, 1.9], scores=None, loss_of_guessing=math.inf)) == []
