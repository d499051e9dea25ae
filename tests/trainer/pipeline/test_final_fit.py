"""The model is fitted anew on all texts once an epoch is chosen and scored, and that is published."""

import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from pyarrow import parquet
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.training import EarlyStopping, Lora, SimilarityStage
from trainingrun_cli.display import published_line, scores_table, terminal
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.model import load
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import StepDone, TrainState
from trainingrun_trainer.training.fit import train_epoch

from ..conftest import WORDS, KilledError, changed, untimed
from .test_multilabel_pipeline import several
from .test_pipeline import evaluation, ignore, out

pytestmark = pytest.mark.slow

__all__ = ["several"]

BY_ACCURACY = EarlyStopping(metric=StoppingMetric.ACCURACY, patience=1)
"""By it nothing is better than the baseline, and the first epoch of three is the last; its loss is lower."""


@pytest.fixture
def final(config: RunConfig, tmp_path: Path) -> RunConfig:
    """The run of `config`, which has 48 of 60 texts to train on, with a final fit."""
    return changed(config, training={"final_fit": True}, output_prefix=(tmp_path / "final").as_uri())


def weights(config: RunConfig) -> dict[str, torch.Tensor]:
    """What is published."""
    return load_file(out(config) / "model" / "model.safetensors")


def same_weights(one: RunConfig, other: RunConfig) -> bool:
    files = [sorted((out(run) / "model").rglob("*.safetensors")) for run in (one, other)]
    return [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def loss_on(config: RunConfig, texts: list[Example]) -> float:
    """Of the published model, in nats per text."""
    classifier = load(out(config) / "model", "uri", list(WORDS))
    classifier.network.eval()
    encoded = classifier.encode(texts)
    with torch.no_grad():
        logits = classifier.logits(classifier.pad(encoded.input_ids[:]))
    return float(cross_entropy(logits, torch.tensor(encoded.targets)))


class At:
    """A listener that ends the run at a step of the final fit."""

    def __init__(self, step: int, ending: type[BaseException]) -> None:
        self._step, self._ending = step, ending

    def __call__(self, report: ProgressReport) -> None:
        if report.progress.stage == "FinalFit" and report.progress.step == self._step:
            raise self._ending


@pytest.mark.parametrize(("stopping", "epochs"), [(EarlyStopping(), 3), (BY_ACCURACY, 1)])
def test_what_is_published_has_learned_all_texts_and_the_scores_are_of_the_model_before(
    config: RunConfig,
    final: RunConfig,
    stopping: EarlyStopping,
    epochs: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, final = (changed(run, training={"early_stopping": stopping}) for run in (config, final))
    result = pipeline.run(final, ignore)
    without = pipeline.run(config, ignore)
    written, usual = evaluation(final), evaluation(config)
    fit = written.final_fit
    assert fit is not None
    assert (fit.texts, fit.epochs, fit.kept) == (60, epochs, True)
    assert (result.final_fit, result.evaluation) == (fit, without.evaluation)
    before = {"final_fit": None, "settings": usual.settings}
    assert untimed(written).model_copy(update=before) == untimed(usual)
    files = [out(run) / "predictions.parquet" for run in (config, final)]
    assert files[0].read_bytes() == files[1].read_bytes()
    evaluated = [Example(text, tuple(labels)) for text, labels in texts_and_labels(files[0])]
    assert loss_on(final, evaluated) == pytest.approx(fit.loss, abs=1e-5)
    assert loss_on(config, evaluated) == pytest.approx(usual.loss, abs=1e-5)
    assert fit.loss is not None
    assert fit.loss < usual.loss
    line = published_line(result, written.chosen_by)
    assert line.endswith(f"Published: the model fitted anew {fit.course}")
    terminal().print(scores_table(result.evaluation, result.final_fit))
    assert "Scores on 12 evaluation texts, before the final fit" in capsys.readouterr().out


def texts_and_labels(path: Path) -> Iterator[tuple[str, list[str]]]:
    table = parquet.read_table(path).to_pydict()
    yield from zip(table["text"], table["labels"], strict=True)


def test_progress_goes_on_through_the_final_fit_and_its_epochs_are_none_of_the_runs(final: RunConfig) -> None:
    reports: list[ProgressReport] = []
    pipeline.run(final, reports.append)
    progress = [report.progress for report in reports]
    stages = list(dict.fromkeys(one.stage for one in progress))
    assert stages == [
        "LoadingData",
        "LoadingModel",
        "Training",
        "Evaluating",
        "FinalFit",
        "Publishing",
        "Done",
    ]
    percent = [one.percent for one in progress]
    assert percent == sorted(percent)
    assert {one.percent for one in progress if one.stage == "Evaluating"} == {44}  # 80 of 180 parts
    fit = [one for one in progress if one.stage == "FinalFit"]
    assert [one.step for one in fit if one.step] == list(range(1, 25))  # three epochs of 60 texts, 8 a step
    assert {one.total_steps for one in fit} == {24}
    assert {one.training_loss for one in fit} == {progress[-1].training_loss}
    assert [epoch.epoch for epoch in reports[-1].epochs or []] == [0, 1, 2, 3]


@pytest.mark.parametrize("training", [{}, {"lora": Lora(), "learning_rate": 1e-2}], ids=["whole", "adapters"])
def test_a_run_that_is_stopped_in_the_final_fit_goes_on_there_and_ends_as_an_undisturbed_one(
    final: RunConfig, tmp_path: Path, training: dict[str, object]
) -> None:
    final = changed(final, training=training)
    disturbed = changed(final, output_prefix=(tmp_path / "disturbed").as_uri())
    with pytest.raises(KilledError):
        pipeline.run(disturbed, At(11, KilledError))  # in the second epoch
    with pytest.raises(Interrupted):
        pipeline.run(disturbed, At(13, Interrupted))
    reports: list[ProgressReport] = []
    pipeline.run(disturbed, reports.append)
    progress = [report.progress for report in reports]
    assert min(one.step for one in progress if one.stage == "FinalFit") == 13
    assert {one.step for one in progress if one.stage == "Training"} == {18}  # of which nothing is done again
    pipeline.run(final, ignore)
    assert untimed(evaluation(disturbed)) == untimed(evaluation(final))
    assert same_weights(disturbed, final)


def test_a_new_run_goes_on_from_the_final_fit_of_a_failed_one(final: RunConfig, tmp_path: Path) -> None:
    failed = changed(final, output_prefix=(tmp_path / "failed").as_uri())
    with pytest.raises(KilledError):
        pipeline.run(failed, At(11, KilledError))
    again = changed(final, resume_from=failed.output_prefix)
    steps: list[int] = []
    pipeline.run(
        again, lambda report: steps.append(report.progress.step * (report.progress.stage == "FinalFit"))
    )
    assert min(step for step in steps if step) == 8


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Has all weights be one value at the end of the final fit."""

    def spoiling(state: TrainState, epoch: int, done: int) -> Iterator[StepDone]:
        yield from train_epoch(state, epoch, done)
        if epoch == state.chosen_epochs:
            with torch.no_grad():
                for parameter in state.objective.network.parameters():
                    parameter.fill_(request.param)

    monkeypatch.setattr(import_module("trainingrun_trainer.training.fit"), "train_epoch", spoiling)


@pytest.mark.parametrize(
    ("spoil", "lora"),
    [(torch.nan, Lora()), (0.0, None)],
    indirect=["spoil"],
    ids=["no numbers", "nothing learned"],
)
@pytest.mark.usefixtures("spoil")
def test_a_final_fit_that_fails_leaves_the_best_epoch_published_and_says_so(
    config: RunConfig, final: RunConfig, lora: Lora | None, caplog: pytest.LogCaptureFixture
) -> None:
    config, final = (changed(run, training={"lora": lora}) for run in (config, final))
    with caplog.at_level(logging.WARNING):
        result = pipeline.run(final, ignore)
    pipeline.run(config, ignore)
    fit = result.final_fit
    assert fit is not None
    assert not fit.kept
    assert same_weights(final, config)
    found = result.advice[0]
    assert (found.type, found.severity) == (FindingType.FINAL_FIT_FAILED, Severity.WARNING)
    assert "The final fit on all 60 texts failed" in found.message
    assert "The final fit failed; epoch 3 is published" in caplog.text
    card, page = (out(final) / name for name in ("model/README.md", "report.html"))
    assert "published are the weights of epoch 3" in card.read_text()
    assert "The final fit on all 60 texts failed, so epoch 3 is published." in page.read_text()


def test_where_no_epoch_is_better_the_head_is_started_on_all_texts(
    final: RunConfig, config: RunConfig
) -> None:
    hot = {"learning_rate": 0.1, "warmup_steps": 0}
    for run in (final, config):
        pipeline.run(changed(run, training=hot), ignore)
    fit = evaluation(final).final_fit
    assert fit is not None
    assert (evaluation(final).best_epoch, fit.epochs, fit.kept) == (0, 0, True)
    changed_weights = {
        name for name, value in weights(config).items() if not value.equal(weights(final)[name])
    }
    assert not changed_weights  # the body is that of the base model
    assert not same_weights(final, config)  # the head isn't


@pytest.mark.parametrize(("stopping", "kept"), [(EarlyStopping(), True), (BY_ACCURACY, False)])
def test_the_similarity_stage_is_done_again_where_it_was_kept(
    final: RunConfig, stopping: EarlyStopping, kept: bool
) -> None:
    staged = {"similarity_stage": SimilarityStage.ALWAYS, "early_stopping": stopping}
    final = changed(final, training=staged)
    stages: list[str] = []
    pipeline.run(final, lambda report: stages.append(report.progress.stage))
    outcome = evaluation(final).similarity_stage
    assert outcome is not None
    assert outcome.kept is kept
    assert ("SimilarityStage" in stages[stages.index("Evaluating") :]) is kept
    assert evaluation(final).final_fit is not None


def test_several_labels_keep_the_threshold_of_texts_that_were_not_learned(several: RunConfig) -> None:
    pipeline.run(changed(several, training={"final_fit": True}), ignore)
    written = evaluation(several)
    assert written.final_fit is not None
    assert written.final_fit.kept
    assert written.classification is not None
    assert written.classification.threshold is not None
    model = (out(several) / "model" / "config.json").read_text()
    assert f'"threshold": {written.classification.threshold.value}' in model


def test_a_run_from_the_model_of_a_final_fit_is_told_that_its_texts_were_seen(
    final: RunConfig, config: RunConfig
) -> None:
    first = pipeline.run(final, ignore)
    result = pipeline.run(
        changed(config, base_model=BaseModelSource(uri=first.artifacts.model, from_run="final")), ignore
    )
    assert FindingType.SEEN_TEXTS in {found.type for found in result.advice}
    base = evaluation(config).base_run
    assert base is not None
    assert base.final_fit
    assert "before its final fit learned these too" in (out(config) / "report.html").read_text()
