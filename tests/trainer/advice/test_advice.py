"""A run that became unstable says so, and one that didn't says nothing."""

import pytest

from trainingrun_api.advice import MAX_SENTENCE, FindingType, Severity
from trainingrun_api.evaluation import Curves, Divergence
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import EpochSummary
from trainingrun_trainer import pipeline
from trainingrun_trainer.advice import Evidence, advise
from trainingrun_trainer.advice.wording import finding, named

from ..conftest import changed
from ..pipeline.test_pipeline import evaluation, ignore
from .evidence import LABELS, epoch, evidence, points, scores, types


def course(
    losses: list[float] | None = None,
    norms: list[float] | None = None,
    epochs: list[EpochSummary] | None = None,
) -> Evidence:
    losses = losses or [3 / (1 + 0.1 * n) for n in range(60)]
    curves = Curves(training_loss=points(losses, norms), epochs=epochs or [epoch(0, 1.0), epoch(1, 0.5)])
    supports = scores([[10, 0, 0], [0, 20, 0], [0, 0, 30]], LABELS)
    return evidence(curves=curves, scores=supports)


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


def test_a_loss_that_is_no_number_is_found_and_explains_what_else_went_wrong() -> None:
    curves = Curves(
        training_loss=points([3.0] * 20),
        epochs=[epoch(0, 0.5, training=1.0), epoch(1, 0.6, training=1.0)],
        divergence=Divergence(step=20, epoch=2),
    )
    (found,) = advise(evidence(curves=curves))
    assert (found.type, found.severity) == (FindingType.DIVERGED, Severity.WARNING)
    assert "After step 20, in epoch 2, the loss was not finite" in found.message
    assert "epoch 0 is published" in found.message
    assert found.evidence == {"step": 20, "epoch": 2}


def test_a_spike_that_passes_is_none() -> None:
    falling = [2 / (1 + 0.2 * n) for n in range(60)]
    assert types(course([*falling[:30], *[9.0] * 6, *falling[30:]])) == []


def test_an_evaluation_loss_far_above_the_baseline_is_found() -> None:
    assert types(course(epochs=[epoch(0, 1.0), epoch(1, 0.9), epoch(2, 1.3)])) == []
    worse = course(epochs=[epoch(0, 1.0), epoch(1, 0.9), epoch(2, 1.6)])
    assert types(worse) == [FindingType.EVALUATION_LOSS_ROSE]


def test_one_label_for_all_texts_is_told_from_the_scores() -> None:
    share = 20 / 60
    same = epoch(1, 0.9, accuracy=share, f1=2 * share / (1 + share) / 3)
    assert types(course(epochs=[epoch(0, 1.0), same])) == [FindingType.ONE_LABEL]
    other = epoch(1, 0.9, accuracy=share, f1=0.3)
    assert types(course(epochs=[epoch(0, 1.0, accuracy=share, f1=0.3), other])) == []


def test_gradients_that_grow_beyond_what_they_are_cut_to_are_found() -> None:
    assert types(course(norms=[0.1] * 30 + [5.0] * 30)) == []
    assert types(course(norms=[0.5] * 30 + [50.0] * 30)) == [FindingType.GROWING_GRADIENTS]


def test_an_unstable_run_says_so_in_its_result(config: RunConfig) -> None:
    hot = changed(config, training={"learning_rate": 0.1, "warmup_steps": 0})
    result = pipeline.run(hot, ignore)
    assert FindingType.EVALUATION_LOSS_ROSE in {finding.type for finding in result.advice}
    assert evaluation(hot).advice == result.advice
    assert any("Lower spec.training.learningRate, which was 0.1" in one.suggestion for one in result.advice)


def test_a_run_with_usual_settings_is_not_called_unstable(config: RunConfig) -> None:
    found = {finding.type for finding in pipeline.run(config, ignore).advice}
    assert found.isdisjoint(
        {
            FindingType.LOSS_JUMP,
            FindingType.EVALUATION_LOSS_ROSE,
            FindingType.ONE_LABEL,
            FindingType.GROWING_GRADIENTS,
        }
    )


@pytest.mark.parametrize("wrong", [[], [0.5]])
def test_a_curve_of_few_points_says_nothing(wrong: list[float]) -> None:
    assert types(course(wrong or [1.0], epochs=[epoch(0, 1.0)])) == []


def test_sentences_and_names_keep_to_the_room_that_a_status_has() -> None:
    assert named(["a", "b"]) == "'a', 'b'"
    many = named([f"label number {n}" for n in range(90)])
    assert many.startswith("'label number 0', 'label number 1', ")
    assert many.endswith(" and 84 more")
    assert len(named(["x" * 500])) < 50
    long = finding(FindingType.ONE_LABEL, Severity.INFO, "m" * 999, "s" * 999, {"share": 1 / 3})
    assert len(long.message) == len(long.suggestion) == MAX_SENTENCE
    assert long.evidence == {"share": 0.3333}
