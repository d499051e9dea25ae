"""A run that is stopped or killed, wherever, ends as one that nothing happened to, and loses what it may."""

import math
import time
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_api.training import Checkpoint, EarlyStopping, Lora, SimilarityStage
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.interruption import Interruption
from trainingrun_trainer.pipeline import fitting

from ..conftest import KilledError, changed, ending_at, untimed

pytestmark = pytest.mark.slow

STAGE = {"similarity_stage": SimilarityStage.ALWAYS, "layer_decay": 0.9}

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"adversarial_epsilon": 0.0},
    "noise": {"adversarial_epsilon": 0.3},
    "accumulation": {"gradient_accumulation_steps": 4},
    "lora": {"lora": Lora(), "learning_rate": 1e-2},
    "early-stopping": {"early_stopping": EarlyStopping(patience=1, min_delta=10), "max_epochs": 5},
}


def ignore(report: ProgressReport) -> None:
    """Nobody listens."""


def out(config: RunConfig) -> Path:
    return Path(config.output_prefix.removeprefix("file://"))


def evaluation(config: RunConfig) -> Evaluation:
    return Evaluation.model_validate_json((out(config) / "evaluation.json").read_text())


def committed(config: RunConfig) -> set[str]:
    return {path.parent.name for path in (out(config) / "checkpoints").rglob("COMMITTED")}


class InterruptedAt(Interruption):
    """SIGTERM arrives before the place where the run can stop for the time that is counted."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._left = place

    @property
    def asked(self) -> bool:
        self._left -= 1
        return self._left == 0


def interrupted_at(config: RunConfig, places: Iterable[int]) -> int:
    """Run to the end, being interrupted at each of these places, counted from the one before; says how often
    it was."""
    for times, place in enumerate(places):
        try:
            pipeline.run(config, ignore, InterruptedAt(place))
        except Interrupted:
            continue
        return times
    pipeline.run(config, ignore)
    return times + 1


def assert_same(disturbed: RunConfig, undisturbed: RunConfig) -> None:
    """The same scores, curves and advice, and the same bits in the published weights."""
    assert untimed(evaluation(disturbed)) == untimed(evaluation(undisturbed))
    weights = list((out(undisturbed) / "model").rglob("*.safetensors"))
    assert weights
    for path in weights:
        twin = out(disturbed) / "model" / path.relative_to(out(undisturbed) / "model")
        assert twin.read_bytes() == path.read_bytes()


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints after each step, unless one is still being uploaded."""
    monkeypatch.setattr(fitting, "MINUTE", 0.0)


@pytest.fixture
def disturbed(config: RunConfig, tmp_path: Path) -> RunConfig:
    return changed(config, output_prefix=(tmp_path / "disturbed").as_uri())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_that_is_interrupted_again_and_again_ends_as_an_undisturbed_one(
    config: RunConfig, disturbed: RunConfig, variant: str
) -> None:
    training = {"max_epochs": 2, **VARIANTS[variant]}
    # After each step but a few, in evaluations, between epochs.
    times = interrupted_at(changed(disturbed, training=training), cycle([2, 2, 3, 2, 5]))
    assert times >= 5
    pipeline.run(changed(config, training=training), ignore)
    assert_same(disturbed, config)


@pytest.mark.parametrize("training", [{}, {"lora": Lora()}], ids=["full", "lora"])
def test_the_similarity_stage_goes_on_where_it_was_interrupted(
    config: RunConfig, disturbed: RunConfig, training: dict[str, Any]
) -> None:
    training = {**STAGE, "max_epochs": 1, **training}
    # After the baseline and 1, 19, 49 and 50 steps, twice in the evaluation after them, in the epoch.
    interrupted_at(changed(disturbed, training=training), [3, 18, 30, 1, 1, 2, 4, 3])
    pipeline.run(changed(config, training=training), ignore)
    assert_same(disturbed, config)


def test_the_final_fit_goes_on_where_it_was_interrupted(config: RunConfig, disturbed: RunConfig) -> None:
    training = {**STAGE, "max_epochs": 1, "final_fit": True}
    interrupted_at(changed(disturbed, training=training), [70, 20, 40, 7, 5, 8])
    pipeline.run(changed(config, training=training), ignore)
    assert_same(disturbed, config)


@pytest.mark.parametrize("training", [{}, STAGE], ids=["plain", "stage"])
@pytest.mark.parametrize("place", [4, 6, 8])
def test_an_interrupted_run_loses_no_step(config: RunConfig, training: dict[str, Any], place: int) -> None:
    config = changed(config, training={"max_epochs": 1, **training})
    before: list[tuple[str, int]] = []
    with pytest.raises(Interrupted):
        pipeline.run(config, lambda report: before.append(steps_of(report)), InterruptedAt(place))
    after: list[tuple[str, int]] = []
    pipeline.run(config, lambda report: after.append(steps_of(report)))
    both = [step for step in (*before, *after) if step[1]]
    done = [step for step, earlier in zip(both, [None, *both], strict=False) if step != earlier]
    assert len(done) == len(set(done))


def steps_of(report: ProgressReport) -> tuple[str, int]:
    return report.progress.stage, report.progress.step


def test_a_run_that_is_interrupted_before_there_is_an_epoch_saves_nothing(config: RunConfig) -> None:
    with pytest.raises(Interrupted):
        pipeline.run(config, ignore, InterruptedAt(2))
    assert committed(config) == set()


@pytest.mark.parametrize("step", [1, 2, 5, 6, 7, 11])
def test_a_run_that_is_killed_between_checkpoints_ends_as_an_undisturbed_one(
    config: RunConfig, disturbed: RunConfig, always: None, step: int
) -> None:
    disturbed = changed(disturbed, training={"max_epochs": 2})
    with pytest.raises(KilledError):
        pipeline.run(disturbed, ending_at(step, KilledError))
    pipeline.run(disturbed, ignore)
    pipeline.run(changed(config, training={"max_epochs": 2}), ignore)
    assert_same(disturbed, config)


def test_many_checkpoints_in_an_epoch_leave_the_latest_and_the_best_weights(
    config: RunConfig, always: None
) -> None:
    config = changed(config, training={"max_epochs": 4, "checkpoint": Checkpoint(keep=3)})
    with pytest.raises(KilledError):
        pipeline.run(config, Slowly(ending_at(23, KilledError)))
    names = committed(config)
    kept = (name.replace("epoch-0003-step-", "") for name in names if name.startswith("epoch"))
    steps = sorted(18 if name == "epoch-0003" else int(name) for name in kept)
    assert len(steps) == 3
    assert steps[0] >= 18  # one more back for each that an upload was in the way of
    best = {name.split("-")[1] for name in names if name.startswith("best")}
    assert len(best) == 1
    pipeline.run(config, ignore)
    assert evaluation(config).curves.restarts[-1].step == steps[-1]


class Slowly:
    """A listener that gives uploads the time to end before the next step."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener

    def __call__(self, report: ProgressReport) -> None:
        time.sleep(0.2)
        self._listener(report)


@pytest.mark.parametrize("training", [{}, STAGE], ids=["epoch", "stage"])
def test_a_killed_run_loses_at_most_the_minutes_between_checkpoints(
    config: RunConfig, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, step_seconds = 1.0, 0.05
    monkeypatch.setattr(fitting, "MINUTE", seconds)
    every = Checkpoint(every_minutes=1, every_epochs=100)
    config = changed(config, training={"max_epochs": 20, "checkpoint": every, **training})
    stage = "SimilarityStage" if training else "Training"
    done: list[int] = []

    def kill_at_48(report: ProgressReport) -> None:
        if report.progress.stage == stage and report.progress.step:
            time.sleep(step_seconds)
            done.append(report.progress.step)
            if report.progress.step == 48:
                raise KilledError

    with pytest.raises(KilledError):
        pipeline.run(config, kill_at_48)
    again: list[int] = []
    with pytest.raises(KilledError):
        pipeline.run(config, lambda report: (again.append(report.progress.step), kill_at_48(report)))
    first = next(step for step in again if step)
    # The step that was killed, those between two checkpoints, and those while the last one was uploaded.
    assert 48 - first <= math.ceil(seconds / step_seconds) + 3
