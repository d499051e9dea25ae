"""Curves in TensorBoard, read back by TensorBoard."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainingrun_api.evaluation import Curves, Evaluation
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.trackers import Ending, Snapshot
from trainingrun_trainer.trackers.tensorboard import TensorBoard

from ..report.reports import a_report, label_names, single


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of each point of each curve."""
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def test_the_curves_of_a_run_are_there_once_also_after_a_restart(config: RunConfig) -> None:
    folder = Path(config.output_prefix.removeprefix("file://"))

    def kill(report: ProgressReport) -> None:
        if report.progress.step >= 9:  # in the second epoch
            raise Interrupted

    with pytest.raises(Interrupted):
        pipeline.run(config, kill)
    assert [epoch for epoch, _ in read(folder / "tensorboard")["epoch/evaluation_loss"]] == [0, 1]
    result = pipeline.run(config, lambda report: None)
    assert result.artifacts.tensorboard == (folder / "tensorboard").as_uri()
    written = read(folder / "tensorboard")
    evaluation = Evaluation.model_validate_json((folder / "evaluation.json").read_text())
    points = evaluation.curves.training_loss
    for tag, values in (
        ("step/training_loss", [point.loss for point in points]),
        ("step/learning_rate", [point.learning_rate for point in points]),
        ("step/gradient_norm", [point.gradient_norm for point in points]),
    ):
        assert [step for step, _ in written[tag]] == list(range(1, 19))
        assert [value for _, value in written[tag]] == pytest.approx(values, rel=1e-6)
    for tag in ("training_loss", "evaluation_loss", "accuracy", "macro_f1"):
        field = tag.removeprefix("macro_")
        wanted = [(epoch.epoch, getattr(epoch, field)) for epoch in evaluation.curves.epochs]
        assert written[f"epoch/{tag}"] == [(number, pytest.approx(value)) for number, value in wanted]


def test_a_store_that_is_down_is_warned_of_and_gets_all_curves_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evaluation = a_report(single(3, 20), label_names(3)).evaluation
    curves = evaluation.curves
    begun = Curves(training_loss=curves.training_loss[:50], epochs=curves.epochs[:2])
    place = tmp_path / "out"
    place.touch()  # so that no folder can be made here
    tracker = TensorBoard(open_store(place.as_uri(), Storage()), place.as_uri())
    tracker.update(Snapshot(evaluation.recipe, begun))
    assert "The curves for TensorBoard could not be written" in caplog.text
    place.unlink()
    tracker.end(Ending.FINISHED, evaluation)
    written = read(place)
    assert [step for step, _ in written["step/training_loss"]] == [p.step for p in curves.training_loss]
    assert [epoch for epoch, _ in written["epoch/accuracy"]] == list(range(10))
