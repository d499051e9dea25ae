"""The program as the pod runs it: exit code, termination message, log."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from trainingrun_api.advice import Finding, Severity
from trainingrun_api.artifacts import Artifacts
from trainingrun_api.dataset import DataSource
from trainingrun_api.labels import Labels
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.names import RUN_CONFIG_VARIABLE, ExitCode
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import EvaluationScores, Reason, RunFailure, RunResult
from trainingrun_api.training import EarlyStopping
from trainingrun_trainer.program import fitting, main
from trainingrun_trainer.settings import TERMINATION_PATH_VARIABLE

from .conftest import changed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the termination message goes."""
    monkeypatch.setenv(TERMINATION_PATH_VARIABLE, str(tmp_path / "termination"))
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path / "termination"
    signal.signal(signal.SIGTERM, before)


def start(config: RunConfig) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        RUN_CONFIG_VARIABLE: config.model_dump_json(),
        "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'trainer_image'}",
        "HF_HUB_OFFLINE": "1",
    }
    program = [sys.executable, "-m", "trainingrun_trainer"]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True)


def test_sigterm_ends_the_run_cleanly_and_the_next_one_goes_on_at_that_step(
    config: RunConfig, message: Path
) -> None:
    config = changed(config, training={"max_epochs": 40, "early_stopping": EarlyStopping(patience=100)})
    process = start(config)
    assert process.stdout is not None
    output = ""
    while "Checkpoint of epoch 2" not in output:
        output += process.stdout.readline()
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output += process.communicate(timeout=120)[0]
    failure = RunFailure.model_validate_json(message.read_text())
    assert (process.returncode, failure.reason) == (ExitCode.INTERRUPTED, Reason.INTERRUPTED)
    saved = re.findall(r"Checkpoint of (.*) committed", output)[-1]

    process = start(config)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == ExitCode.OK
    assert RunResult.model_validate_json(message.read_text()).epochs == 40
    assert "60 texts read" in output
    assert f"Resuming from the checkpoint of {saved}\n" in output
    assert "Epoch 40 of 40" in output


def test_sigterm_is_heeded_before_modules_are_imported(config: RunConfig, message: Path) -> None:
    process = start(config)
    while not heeds_sigterm(process.pid):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert (process.returncode, output) == (ExitCode.INTERRUPTED, "")
    assert not message.exists()


def heeds_sigterm(pid: int) -> bool:
    """Whether the process has a handler for it."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) & 1 << (signal.SIGTERM - 1))


def test_a_mistake_of_the_user_leaves_what_to_change(
    config: RunConfig, message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = DataSource(uri=config.dataset.uri, text_field="body")
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, changed(config, dataset=names).model_dump_json())
    assert main() == ExitCode.DATA
    failure = RunFailure.model_validate_json(message.read_text())
    assert failure.reason is Reason.DATA_ERROR
    assert "there are 'label', 'text'. Name the field that holds the text in spec.dataset.textField" in (
        failure.message
    )


def test_the_log_ends_with_what_was_published_and_the_advice(
    config: RunConfig, message: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hot = changed(config, training={"learning_rate": 0.1, "warmup_steps": 0})
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, hot.model_dump_json())
    assert main() == ExitCode.OK
    assert "Published epoch 0" in caplog.text
    assert "Lower spec.training.learningRate, which was 0.1" in caplog.text


def test_a_configuration_that_cannot_be_used_names_its_fields(
    message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, '{"modelName": 3}')
    assert main() == ExitCode.USAGE
    failure = RunFailure.model_validate_json(message.read_text())
    assert failure.reason is Reason.SETTINGS_ERROR
    assert "outputPrefix" in failure.message


def test_a_fault_of_the_trainer_says_where_to_report_it_and_where_the_trace_is(
    config: RunConfig, message: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("trainingrun_trainer.pipeline.run", broken)  # what is known to be broken is mended
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, config.model_dump_json())
    assert main() == ExitCode.BUG
    failure = RunFailure.model_validate_json(message.read_text())
    assert failure.reason is Reason.TRAINER_ERROR
    assert failure.message == (
        "a fault of the trainer; please report it as an issue in the repository of TrainingRun, with the "
        "pod's log, which has the whole trace: KeyError: 'lost'"
    )
    assert 'raise KeyError("lost")' in caplog.text


@pytest.mark.parametrize(
    "labels",
    [
        [f"card_arrival_{n}" for n in range(90)],
        [f"card_arrival_{n}" for n in range(400)],
        [f"請求書{n}" for n in range(400)],
    ],
    ids=["all fit", "as many as a condition takes", "as many as a termination message takes"],
)
def test_of_a_long_message_the_status_has_the_beginning_and_the_log_all(
    labels: list[str],
    config: RunConfig,
    message: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = message.with_name("labels.jsonl")
    data.write_text("".join(json.dumps({"text": one, "label": one}) + "\n" for one in labels))
    unknown = changed(config, dataset=DataSource(uri=data.as_uri()), labels=Labels(include=["no such label"]))
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, unknown.model_dump_json())
    assert main() == ExitCode.DATA
    assert all(f"'{one}'" in caplog.text for one in labels)
    written = message.read_bytes()
    told = RunFailure.model_validate_json(written).message
    assert len(written) <= 4096
    assert len(told) <= 2048
    if not all(f"'{one}'" in told for one in labels):
        assert told.endswith("', … (whole in the pod's log)")
        assert len(written) > 4050 or len(told) > 2000


def test_advice_gives_way_where_the_termination_message_is_full() -> None:
    finding = Finding(type="LossJump", severity=Severity.WARNING, message="m" * 256, suggestion="s" * 256)
    result = RunResult(
        best_epoch=1,
        epochs=1,
        stopped_early=False,
        evaluation=EvaluationScores(loss=1, support=1),
        artifacts=Artifacts(model="s3://" + "m" * 900, evaluation="e" * 900, checkpoints="c" * 900, run="r"),
        base_model=ResolvedBaseModel(source="Default"),
        advice=[finding] * 5,
    )
    assert len(fitting(result).advice) == 1
    assert fitting(result.model_copy(update={"advice": [finding]})).advice == [finding]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_pod_that_has_no_gpu_it_asks_for_ends_before_anything_is_read(
    config: RunConfig, message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config.model_copy(update={"gpus_per_node": 1})
    monkeypatch.setenv(RUN_CONFIG_VARIABLE, config.model_dump_json())
    assert main() == ExitCode.MACHINE
    failure = RunFailure.model_validate_json(message.read_text())
    assert failure.reason is Reason.GPU_NOT_FOUND
    assert "gpusPerNode is 1, but torch sees no GPU (" in failure.message
    for cause in ("driver", "device plugin", "trainer image", "set gpusPerNode to 0 to train on the CPU"):
        assert cause in failure.message
    assert not Path(config.output_prefix.removeprefix("file://")).exists()
