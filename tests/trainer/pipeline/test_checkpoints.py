"""Checkpoints: which one a run goes on from, which are kept, and that no other's weights are published."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import Reason
from trainingrun_api.training import Checkpoint, EarlyStopping
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import commit_folder, open_store
from trainingrun_trainer.errors import SettingsError, TrainerError

from ..conftest import KilledError, changed, ending_at, tickets, untimed, write_jsonl

pytestmark = pytest.mark.slow


def ignore(report: ProgressReport) -> None:
    """Nobody listens."""


def killed_at_the_end(report: ProgressReport) -> None:
    """A listener that ends the run when all epochs are trained."""
    if report.progress.stage == "Evaluating":
        raise KilledError


def out(config: RunConfig) -> Path:
    return Path(config.output_prefix.removeprefix("file://"))


def evaluation(config: RunConfig) -> Evaluation:
    return Evaluation.model_validate_json((out(config) / "evaluation.json").read_text())


def committed(config: RunConfig) -> list[Path]:
    return sorted(path.parent for path in (out(config) / "checkpoints").rglob("COMMITTED"))


def epochs(config: RunConfig) -> list[str]:
    return [path.name for path in committed(config) if path.name.startswith("epoch-")]


@pytest.fixture
def long(config: RunConfig) -> RunConfig:
    """Six epochs of six steps."""
    training = {
        "max_epochs": 6,
        "early_stopping": EarlyStopping(patience=12, metric=StoppingMetric.ACCURACY),
    }
    return changed(config, training=training)


def write_noise(config: RunConfig) -> None:
    """Other labels, which nothing in the texts tells."""
    rows = [
        {**ticket, "label": ["billing", "delivery", "login"][n % 3]} for n, ticket in enumerate(tickets())
    ]
    write_jsonl(Path(config.dataset.uri.removeprefix("file://")), rows)


def test_weights_of_other_data_are_never_published(long: RunConfig) -> None:
    long = changed(long, training={"checkpoint": Checkpoint(keep=100)})
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(34, KilledError))
    stale = set(committed(long))
    write_noise(long)
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(34, KilledError))
    result = pipeline.run(long, ignore)
    written = evaluation(long)
    best = next(epoch for epoch in written.curves.epochs if epoch.epoch == result.best_epoch)
    assert (written.loss, written.classification.accuracy) == pytest.approx(
        (best.evaluation_loss, best.accuracy), abs=1e-5
    )
    assert stale < set(committed(long))  # nothing of what it doesn't count is deleted either


def test_a_run_whose_data_changed_says_so_and_starts_over(
    long: RunConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(14, KilledError))
    write_noise(long)
    reports: list[ProgressReport] = []
    pipeline.run(long, reports.append)
    notice = reports[-1].progress.notice
    assert notice is not None
    assert notice.reason is Reason.STARTED_OVER
    assert "Training started over: the data sets' content changed since an earlier attempt" in notice.message
    assert "Training starts over: the data sets' content changed" in caplog.text
    assert 1 in {report.progress.step for report in reports}


def test_with_the_data_of_before_a_run_goes_on_from_the_checkpoints_of_before(long: RunConfig) -> None:
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(20, KilledError))
    data = Path(long.dataset.uri.removeprefix("file://"))
    before = data.read_bytes()
    write_noise(long)
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(8, KilledError))
    data.write_bytes(before)
    reports: list[ProgressReport] = []
    pipeline.run(long, reports.append)
    assert min(report.progress.step for report in reports if report.progress.step) == 18
    assert reports[-1].progress.notice is None


def test_weights_that_are_not_those_of_the_best_epoch_are_not_published(long: RunConfig) -> None:
    long = changed(long, training={"checkpoint": Checkpoint(keep=1)})
    with pytest.raises(KilledError):
        pipeline.run(long, killed_at_the_end)
    store = open_store(long.output_prefix, long.storage)
    (best,) = [path for path in committed(long) if path.name.startswith("best-")]
    weights = load_file(best / "model.safetensors")
    save_file({name: -value for name, value in weights.items()}, best / "model.safetensors")
    for name in ("manifest.json", "COMMITTED"):
        (best / name).unlink()
    commit_folder(store, copied(best), best.as_uri())
    with pytest.raises(TrainerError, match=r"those of epoch \d+, the best, had .* nothing is published"):
        pipeline.run(long, ignore)
    assert not (out(long) / "model" / "COMMITTED").exists()
    assert not evaluation(long).finished


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.parents[3] / "copy"))


def truncated(checkpoint: Path, name: str) -> None:
    path = checkpoint / name
    path.write_bytes(path.read_bytes()[:10])


@pytest.mark.parametrize("name", ["history.json", "manifest.json"])
def test_broken_checkpoints_are_neither_used_nor_counted(
    long: RunConfig, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    long = changed(long, training={"checkpoint": Checkpoint(keep=3)})
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(32, KilledError))
    assert epochs(long) == ["epoch-0003", "epoch-0004", "epoch-0005"]
    for path in committed(long):
        if path.name in {"epoch-0004", "epoch-0005"}:
            truncated(path, name)
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(26, KilledError))  # in the fifth epoch, after the fourth was saved again
    assert caplog.text.count("is incomplete and is not used") == 2
    assert epochs(long) == ["epoch-0003", "epoch-0004"]
    pipeline.run(long, ignore)
    assert epochs(long) == ["epoch-0004", "epoch-0005", "epoch-0006"]


def test_a_run_without_a_whole_checkpoint_says_so_and_starts_over(long: RunConfig) -> None:
    with pytest.raises(KilledError):
        pipeline.run(long, ending_at(14, KilledError))
    for path in committed(long):
        if path.name.startswith("epoch-"):
            truncated(path, "history.json")
    reports: list[ProgressReport] = []
    with pytest.raises(KilledError):
        pipeline.run(long, lambda report: (reports.append(report), ending_at(8, KilledError)(report)))
    notice = reports[-1].progress.notice
    assert notice is not None
    assert notice.message == "Training started over: no checkpoint of an earlier attempt is complete"
    assert epochs(long) == ["epoch-0001"]


def test_a_new_run_goes_on_from_the_last_checkpoint_of_a_failed_one(
    config: RunConfig, tmp_path: Path
) -> None:
    failed = changed(config, output_prefix=(tmp_path / "failed").as_uri())
    with pytest.raises(KilledError):
        pipeline.run(failed, ending_at(9, KilledError))
    again = changed(config, resume_from=failed.output_prefix)
    reports: list[ProgressReport] = []
    pipeline.run(again, reports.append)
    assert min(report.progress.step for report in reports if report.progress.step) == 6
    undisturbed = changed(config, output_prefix=(tmp_path / "undisturbed").as_uri())
    pipeline.run(undisturbed, ignore)
    assert untimed(evaluation(again)) == untimed(evaluation(undisturbed))
    other = changed(again, training={"seed": 7}, output_prefix=(tmp_path / "other").as_uri())
    with pytest.raises(SettingsError, match=r"spec\.resumeFrom: .*: spec\.training\.seed changed; use"):
        pipeline.run(other, ignore)
