"""A loss that is not finite ends training, and the best epoch before it is published."""

import logging
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import Divergence
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_api.training import SimilarityStage, Training
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import Interrupted, ModelError, SettingsError
from trainingrun_trainer.model import load
from trainingrun_trainer.training import (
    DivergedError,
    SingleLabelClassification,
    StepDone,
    TrainState,
    prepare,
)
from trainingrun_trainer.training.fit import train_epoch

from ..conftest import WORDS, changed, ticket_texts, untimed
from ..pipeline.test_pipeline import evaluation, ignore, out

Spoil = Callable[[int], None]
Broken = tuple[TaskType, float]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Has the weights not be finite after a step, of the six that an epoch has, whenever it is done."""

    def after(step: int) -> None:
        def diverging(state: TrainState, epoch: int, done: int) -> Iterator[StepDone]:
            for event in train_epoch(state, epoch, done):
                if event.step == step:
                    with torch.no_grad():
                        for parameter in state.objective.network.parameters():
                            parameter.fill_(torch.nan)
                yield event

        monkeypatch.setattr(import_module("trainingrun_trainer.training.fit"), "train_epoch", diverging)

    return after


class Until:
    """A listener that ends the run in a stage, as SIGTERM does."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __call__(self, report: ProgressReport) -> None:
        if report.progress.stage == self._stage:
            raise Interrupted


@pytest.mark.parametrize(
    "step", [2, 9, 12], ids=["in the first epoch", "in the second", "with its last step"]
)
def test_a_run_that_diverges_publishes_its_best_epoch_and_says_so(
    config: RunConfig, spoil: Spoil, caplog: pytest.LogCaptureFixture, step: int
) -> None:
    epochs = (step - 1) // 6
    what = f"training loss of step {step + 1}" if step % 6 else "evaluation loss"
    spoil(step)
    with caplog.at_level(logging.WARNING):
        result = pipeline.run(config, ignore)
    assert (result.best_epoch, result.epochs, result.stopped_early) == (epochs, epochs, True)
    assert (result.advice[0].type, result.advice[0].severity) == (FindingType.DIVERGED, Severity.WARNING)
    assert f"After step {step}, in epoch {epochs + 1}, the loss was not finite" in result.advice[0].message
    assert f"the {what} is not finite; lower spec.training.learningRate" in caplog.text
    assert f"The best epoch is {epochs}" in caplog.text
    written = evaluation(config)
    assert written.curves.divergence == Divergence(step=step, epoch=epochs + 1)
    assert [point.step for point in written.curves.training_loss] == list(range(1, step + 1))
    assert written.loss == written.curves.epochs[-1].evaluation_loss
    page = (out(config) / "report.html").read_text()
    assert f"in epoch {epochs + 1} the loss was not finite" in page
    weights = load_file(out(config) / "model" / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())


def test_a_diverged_run_that_was_interrupted_ends_as_an_undisturbed_one(
    config: RunConfig, spoil: Spoil, tmp_path: Path
) -> None:
    spoil(9)
    disturbed = changed(config, output_prefix=(tmp_path / "disturbed").as_uri())
    with pytest.raises(Interrupted):
        pipeline.run(disturbed, Until("Evaluating"))
    pipeline.run(disturbed, ignore)
    pipeline.run(config, ignore)
    assert [restart.epoch for restart in evaluation(disturbed).curves.restarts] == [1]
    assert untimed(evaluation(disturbed)) == untimed(evaluation(config))


def test_embeddings_that_are_no_numbers_end_training_too(config: RunConfig, spoil: Spoil) -> None:
    spoil(20)  # of the first epoch, the last one
    result = pipeline.run(changed(config, task_type=TaskType.TEXT_SIMILARITY), ignore)
    assert (result.best_epoch, result.epochs, result.advice[0].type) == (0, 0, FindingType.DIVERGED)


def test_a_gradient_that_is_no_number_is_as_bad_as_such_a_loss(pooled_model: Path) -> None:
    classifier = load(pooled_model, "uri", list(WORDS))
    texts = classifier.encode(ticket_texts())
    settings = Training().model_copy(update={"adversarial_epsilon": 1e38})
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    with pytest.raises(DivergedError, match="the gradient of step 1 is not finite"):
        next(train_epoch(state, 1))


@pytest.mark.parametrize("kind", ["pooled_model", "plain_model"])
@pytest.mark.parametrize(
    "broken", [(TaskType.CLASSIFICATION, torch.nan), (TaskType.TEXT_SIMILARITY, -torch.inf)]
)
def test_a_base_model_of_weights_that_are_no_numbers_is_refused(
    config: RunConfig, tmp_path: Path, kind: str, broken: Broken, request: pytest.FixtureRequest
) -> None:
    task, value = broken
    source = spoilt(request.getfixturevalue(kind), tmp_path / "model", lambda weight: weight.fill_(value))
    stages: list[str] = []
    with pytest.raises(
        ModelError, match=r"NaN or infinity, for example .*: the base model is corrupt"
    ) as caught:
        pipeline.run(
            changed(config, base_model=source, task_type=task),
            lambda report: stages.append(report.progress.stage),
        )
    assert str(caught.value).startswith(str(source.uri))
    assert stages[-1] == "LoadingModel"


@pytest.mark.parametrize("kind", ["pooled_model", "plain_model"])
def test_a_base_model_whose_numbers_give_none_is_broken_too(
    config: RunConfig, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    source = spoilt(request.getfixturevalue(kind), tmp_path / "model", lambda weight: weight.fill_(3e38))
    with pytest.raises(ModelError, match="is not finite before any training, so the base model is corrupt"):
        pipeline.run(changed(config, base_model=source), ignore)


def spoilt(folder: Path, copy: Path, spoil: Callable[[torch.Tensor], object]) -> BaseModelSource:
    """A copy with other weights."""
    shutil.copytree(folder, copy)
    weights = load_file(copy / "model.safetensors")
    for weight in weights.values():
        spoil(weight)
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    return BaseModelSource(uri=copy.as_uri())


def test_a_stage_that_diverges_fails_the_run(config: RunConfig) -> None:
    hot = {"learning_rate": 1e30, "warmup_steps": 0, "similarity_stage": SimilarityStage.ALWAYS}
    stages: list[str] = []
    with pytest.raises(SettingsError, match="the training loss of step 3 is not finite"):
        pipeline.run(changed(config, training=hot), lambda report: stages.append(report.progress.stage))
    assert stages[-1] == "SimilarityStage"
