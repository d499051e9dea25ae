"""The program with two processes, as a pod runs it: what comes of a lost one, of SIGTERM, of bad data."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainingrun_api.names import PROCESSES_VARIABLE, RUN_CONFIG_VARIABLE, ExitCode
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import Reason, RunFailure, RunResult
from trainingrun_api.training import EarlyStopping
from trainingrun_trainer.settings import TERMINATION_PATH_VARIABLE

from ..conftest import changed, write_jsonl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

EPOCHS = 12


class Pod:
    """The program, running with two processes."""

    def __init__(self, config: RunConfig, folder: Path) -> None:
        self.message = folder / "termination"
        self.message.unlink(missing_ok=True)
        environment = os.environ | {
            RUN_CONFIG_VARIABLE: config.model_dump_json(),
            PROCESSES_VARIABLE: "2",
            TERMINATION_PATH_VARIABLE: str(self.message),
            "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'trainer_image'}",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainingrun_trainer"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def until(self, words: str) -> None:
        """Wait for a line of the log."""
        assert self.process.stdout is not None
        while words not in self.output:
            line = self.process.stdout.readline()
            self.output += line
            assert line, self.output

    def end(self) -> int:
        """Wait for the end; gives the exit code."""
        self.output += self.process.communicate(timeout=300)[0]
        return self.process.returncode

    def workers(self) -> list[int]:
        """Process ids of both ranks."""
        pid = self.process.pid
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def failure(self) -> RunFailure:
        return RunFailure.model_validate_json(self.message.read_text())

    def result(self) -> RunResult:
        return RunResult.model_validate_json(self.message.read_text())


@pytest.fixture
def long(config: RunConfig) -> RunConfig:
    """A run of many epochs."""
    return changed(config, training={"max_epochs": EPOCHS, "early_stopping": EarlyStopping(patience=100)})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Of the undisturbed run."""
    return {}


def undisturbed(long: RunConfig, folder: Path, weights: dict[str, bytes]) -> bytes:
    if not weights:
        pod = Pod(at(long, folder / "undisturbed"), folder)
        assert pod.end() == ExitCode.OK, pod.output
        assert pod.result().epochs == EPOCHS
        assert "[rank 0] INFO" in pod.output
        assert "[rank 1] INFO" not in pod.output
        weights["model"] = model_in(folder / "undisturbed")
    return weights["model"]


def at(config: RunConfig, folder: Path) -> RunConfig:
    return config.model_copy(update={"output_prefix": folder.as_uri()})


def model_in(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def test_sigterm_ends_all_after_the_same_step_and_nothing_is_lost(
    long: RunConfig, tmp_path: Path, weights: dict[str, bytes]
) -> None:
    expected = undisturbed(long, tmp_path, weights)
    pod = Pod(long, tmp_path)
    pod.until("Checkpoint of epoch 2")
    pod.process.send_signal(signal.SIGTERM)
    assert pod.end() == ExitCode.INTERRUPTED, pod.output
    assert pod.failure().reason is Reason.INTERRUPTED
    saved = re.findall(r"Checkpoint of (.*) committed", pod.output)[-1]

    pod = Pod(long, tmp_path)
    assert pod.end() == ExitCode.OK, pod.output
    assert f"Resuming from the checkpoint of {saved}\n" in pod.output
    assert model_in(tmp_path / "out") == expected


def test_a_killed_rank_ends_the_others_and_all_go_on_from_the_checkpoint(
    long: RunConfig, tmp_path: Path, weights: dict[str, bytes]
) -> None:
    expected = undisturbed(long, tmp_path, weights)
    pod = Pod(long, tmp_path)
    pod.until("Checkpoint of epoch 2")
    os.kill(pod.workers()[1], signal.SIGKILL)
    assert pod.end() == 128 + signal.SIGKILL, pod.output

    pod = Pod(long, tmp_path)
    assert pod.end() == ExitCode.OK, pod.output
    assert "Resuming from the checkpoint of" in pod.output
    assert model_in(tmp_path / "out") == expected


def test_bad_data_end_all_with_their_own_message(config: RunConfig, tmp_path: Path) -> None:
    uri = write_jsonl(tmp_path / "bad.jsonl", [{"text": "one", "label": "a"}])
    pod = Pod(changed(config, dataset=config.dataset.model_copy(update={"uri": uri})), tmp_path)
    assert pod.end() == ExitCode.DATA, pod.output
    assert pod.failure().reason is Reason.DATA_ERROR
