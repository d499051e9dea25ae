"""A run that became unstable says so, and one that didn't says nothing."""

import pytest

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import Curves, LossPoint, Recipe
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import EpochSummary
from trainingrun_trainer import pipeline
from trainingrun_trainer.advice import Course, advise

from .conftest import changed
from .test_pipeline import evaluation, ignore

RECIPE = Recipe(
    learning_rate=4e-4,
    warmup_steps=10,
    total_steps=100,
    batch_size=32,
    gradient_accumulation_steps=1,
    max_gradient_norm=1,
    mixed_precision="no",
    parameters=1,
    trained_parameters=1,
)


def epoch(number: int, loss: float, accuracy: float = 0.9, f1: float = 0.9) -> EpochSummary:
    return EpochSummary(
        epoch=number, training_loss=1, evaluation_loss=loss, accuracy=accuracy, f1=f1, learning_rate=1e-4
    )


def course(
    losses: list[float] | None = None,
    norms: list[float] | None = None,
    epochs: list[EpochSummary] | None = None,
) -> Course:
    losses = losses or [3 / (1 + 0.1 * n) for n in range(60)]
    points = [
        LossPoint(step=n, epoch=0.1, loss=loss, learning_rate=1e-4, gradient_norm=norm)
        for n, (loss, norm) in enumerate(zip(losses, norms or [2.0] * len(losses), strict=True), start=1)
    ]
    return Course(
        Curves(training_loss=points, epochs=epochs or [epoch(0, 1.0), epoch(1, 0.5)]), RECIPE, [10, 20, 30]
    )


def types(found: Course) -> list[FindingType]:
    return [finding.type for finding in advise(found)]


def test_training_that_goes_well_is_not_remarked_on() -> None:
    assert types(course()) == []
    noisy = [1 / (1 + n) + 0.5 * (n % 3) for n in range(60)]
    assert types(course(noisy)) == []
    assert types(course([0.01] * 50 + [0.05] * 10)) == []  # twice next to nothing is nothing


def test_a_loss_that_jumps_and_stays_is_found_with_its_step() -> None:
    falling = [2 / (1 + 0.2 * n) for n in range(30)]
    (finding,) = advise(course([*falling, *[4.9] * 30]))
    assert (finding.type, finding.severity) == (FindingType.LOSS_JUMP, Severity.WARNING)
    assert finding.evidence["step"] == 31
    assert "at step 31" in finding.message
    assert "spec.training.learningRate, which was 0.0004, to about 1e-04" in finding.suggestion


def test_a_spike_that_passes_is_none() -> None:
    falling = [2 / (1 + 0.2 * n) for n in range(60)]
    assert types(course([*falling[:30], *[9.0] * 6, *falling[30:]])) == []


def test_an_evaluation_loss_far_above_the_baseline_is_found() -> None:
    assert types(course(epochs=[epoch(0, 1.0), epoch(1, 0.9), epoch(2, 1.3)])) == []
    worse = course(epochs=[epoch(0, 1.0), epoch(1, 0.9), epoch(2, 1.6)])
    assert types(worse) == [FindingType.EVALUATION_LOSS_ROSE]


def test_one_label_for_all_texts_is_told_from_the_scores() -> None:
    share = 20 / 60
    same = epoch(1, 1.0, accuracy=share, f1=2 * share / (1 + share) / 3)
    assert types(course(epochs=[epoch(0, 1.0), same])) == [FindingType.ONE_LABEL]
    other = epoch(1, 1.0, accuracy=share, f1=0.3)
    assert types(course(epochs=[epoch(0, 1.0), other])) == []


def test_gradients_that_grow_beyond_what_they_are_cut_to_are_found() -> None:
    assert types(course(norms=[0.1] * 30 + [5.0] * 30)) == []
    assert types(course(norms=[0.5] * 30 + [50.0] * 30)) == [FindingType.GROWING_GRADIENTS]


def test_an_unstable_run_says_so_in_its_result_and_log(
    config: RunConfig, caplog: pytest.LogCaptureFixture
) -> None:
    hot = changed(config, training={"learning_rate": 0.1, "warmup_steps": 0})
    result = pipeline.run(hot, ignore)
    assert FindingType.EVALUATION_LOSS_ROSE in {finding.type for finding in result.advice}
    assert evaluation(hot).advice == result.advice
    assert "Lower spec.training.learningRate, which was 0.1" in caplog.text


def test_a_run_with_usual_settings_has_no_warning(config: RunConfig) -> None:
    assert pipeline.run(config, ignore).advice == []


@pytest.mark.parametrize("wrong", [[], [0.5]])
def test_a_curve_of_few_points_says_nothing(wrong: list[float]) -> None:
    assert types(course(wrong or [1.0], epochs=[epoch(0, 1.0)])) == []
