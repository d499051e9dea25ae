"""Runs that bring texts of one label near each other before they classify."""

from pathlib import Path

import pytest

from trainingrun_api.evaluation import BaselineMethod, Evaluation
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.training import Lora, SimilarityStage
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.training.contrast import LEAST_STAGE_STEPS

from ..conftest import changed, untimed

pytestmark = pytest.mark.slow


def train(config: RunConfig) -> Evaluation:
    result = pipeline.run(config, lambda report: None)
    return Evaluation.model_validate_json(
        Path(result.artifacts.evaluation.removeprefix("file://")).read_text()
    )


def elsewhere(config: RunConfig, name: str) -> RunConfig:
    return changed(config, output_prefix=f"{config.output_prefix}-{name}")


def without_stage(config: RunConfig) -> RunConfig:
    return elsewhere(changed(config, training={"similarity_stage": SimilarityStage.NEVER}), "plain")


def killed_at(stage: str, step: int, config: RunConfig) -> None:
    def listen(report: ProgressReport) -> None:
        if report.progress.stage == stage and report.progress.step >= step:
            raise Interrupted

    with pytest.raises(Interrupted):
        pipeline.run(config, listen)


@pytest.fixture
def staged(config: RunConfig) -> RunConfig:
    return changed(config, training={"similarity_stage": SimilarityStage.ALWAYS, "max_epochs": 2})


def test_the_stage_makes_epoch_0_better_than_the_baseline(staged: RunConfig) -> None:
    reports: list[ProgressReport] = []
    pipeline.run(staged, reports.append)
    stages = list(dict.fromkeys(report.progress.stage for report in reports))
    assert stages[1:4] == ["LoadingModel", "Training", "SimilarityStage"]
    last = [report.progress for report in reports if report.progress.stage == "SimilarityStage"][-1]
    assert (last.step, last.total_steps, last.percent) == (LEAST_STAGE_STEPS, LEAST_STAGE_STEPS, 0)
    written, plain = train(staged), train(without_stage(staged))
    assert written.baseline == plain.baseline
    assert written.baseline.method is BaselineMethod.LOGISTIC_REGRESSION
    stage = written.similarity_stage
    assert stage is not None
    assert (stage.steps, stage.pairs, stage.kept) == (LEAST_STAGE_STEPS, 8, True)
    assert written.curves.epochs[0] == stage.scores
    assert stage.scores.evaluation_loss < written.baseline.scores.evaluation_loss
    assert written.loss <= stage.scores.evaluation_loss


def test_a_stage_that_makes_nothing_better_is_undone(staged: RunConfig) -> None:
    spoiling = {"learning_rate": 0.1, "layer_decay": 1.0, "warmup_steps": 0, "max_epochs": 1}
    hot = changed(staged, training=spoiling)
    undone, plain = train(hot), train(without_stage(hot))
    assert undone.similarity_stage is not None
    assert not undone.similarity_stage.kept
    assert undone.similarity_stage.scores.evaluation_loss > undone.baseline.scores.evaluation_loss
    assert undone.curves.epochs[0] == undone.baseline.scores == plain.curves.epochs[0]
    assert undone.best_epoch == 0
    assert undone.classification == plain.classification


@pytest.mark.parametrize("training", [{}, {"lora": Lora(), "learning_rate": 1e-2}], ids=["full", "lora"])
def test_a_run_killed_in_the_stage_or_after_it_ends_as_an_undisturbed_one(
    staged: RunConfig, training: dict[str, object]
) -> None:
    staged = changed(staged, training=training)
    disturbed = elsewhere(staged, "disturbed")
    for stage, step in (("SimilarityStage", 20), ("Training", 3), ("Training", 9)):
        killed_at(stage, step, disturbed)
    again = train(disturbed)
    undisturbed = train(staged)
    assert untimed(again) == untimed(undisturbed)
    assert again.similarity_stage is not None
    folder, twin = (Path(one.output_prefix.removeprefix("file://")) / "model" for one in (staged, disturbed))
    for path in folder.rglob("*.safetensors"):
        assert (twin / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_what_the_stage_made_is_not_made_again(staged: RunConfig) -> None:
    killed_at("Training", 3, staged)
    stages: set[str] = set()
    pipeline.run(staged, lambda report: stages.add(report.progress.stage))
    assert "SimilarityStage" not in stages


def test_a_head_of_an_earlier_run_is_made_anew_after_the_stage(staged: RunConfig) -> None:
    first = train(changed(staged, training={"similarity_stage": SimilarityStage.NEVER}))
    model = staged.output_prefix + "/model"
    second = train(elsewhere(changed(staged, base_model=BaseModelSource(uri=model)), "second"))
    assert second.baseline.method is BaselineMethod.BASE_MODEL
    assert second.baseline.scores.evaluation_loss == pytest.approx(first.loss, abs=1e-4)
    assert second.similarity_stage is not None
    assert second.loss <= second.baseline.scores.evaluation_loss
