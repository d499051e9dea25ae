"""The program with two processes, as a pod runs it: what comes of a lost one, of SIGTERM, of bad data."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from localcluster.control_plane import free_port
from trainingrun_api.names import (
    MASTER_ADDRESS_VARIABLE,
    MASTER_PORT_VARIABLE,
    NODE_RANK_VARIABLE,
    NODES_VARIABLE,
    PROCESSES_VARIABLE,
    RUN_CONFIG_VARIABLE,
    ExitCode,
)
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import Reason, RunFailure, RunResult
from trainingrun_api.training import EarlyStopping
from trainingrun_trainer.distributed import rendezvous
from trainingrun_trainer.distributed.launcher import cause_of
from trainingrun_trainer.errors import PeersNotReached
from trainingrun_trainer.settings import TERMINATION_PATH_VARIABLE, ProcessLayout

from ..conftest import changed, write_jsonl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

EPOCHS = 12

TWO = {PROCESSES_VARIABLE: "2"}


class Pod:
    """The program of a pod; of two processes, unless another layout is told."""

    def __init__(self, config: RunConfig, folder: Path, layout: dict[str, str] = TWO) -> None:
        self.message = folder / "termination"
        self.message.unlink(missing_ok=True)
        environment = os.environ | {
            RUN_CONFIG_VARIABLE: config.model_dump_json(),
            **layout,
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
def weights() -> dict[str, bytes]:
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


def resumed(config: RunConfig, folder: Path, place: str = "") -> bytes:
    """The model of the next attempt, which goes on from the checkpoint of that place."""
    pod = Pod(config, folder)
    assert pod.end() == ExitCode.OK, pod.output
    assert f"Resuming from the checkpoint of {place}" in pod.output
    return model_in(folder / "out")


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

    assert resumed(long, tmp_path, f"{saved}\n") == expected


@pytest.mark.groups
def test_a_killed_rank_ends_the_others_and_all_go_on_from_the_checkpoint(
    long: RunConfig, tmp_path: Path, weights: dict[str, bytes]
) -> None:
    expected = undisturbed(long, tmp_path, weights)
    pod = Pod(long, tmp_path)
    pod.until("Checkpoint of epoch 2")
    os.kill(pod.workers()[1], signal.SIGKILL)
    assert pod.end() == 128 + signal.SIGKILL, pod.output

    assert resumed(long, tmp_path) == expected


def test_bad_data_end_all_with_their_own_message(config: RunConfig, tmp_path: Path) -> None:
    uri = write_jsonl(tmp_path / "bad.jsonl", [{"text": "one", "label": "a"}])
    pod = Pod(changed(config, dataset=config.dataset.model_copy(update={"uri": uri})), tmp_path)
    assert pod.end() == ExitCode.DATA, pod.output
    assert pod.failure().reason is Reason.DATA_ERROR


def test_nodes_meet_and_a_lost_one_ends_the_other_with_a_code_of_its_own(
    long: RunConfig, tmp_path: Path, weights: dict[str, bytes]
) -> None:
    expected = undisturbed(long, tmp_path, weights)
    first, second = two_nodes(long, tmp_path)
    first.until("Checkpoint of epoch 2")
    os.kill(second.workers()[0], signal.SIGKILL)
    assert second.end() == 128 + signal.SIGKILL, second.output
    assert first.end() == ExitCode.PEER_LOST, first.output
    assert first.failure().reason is Reason.PEER_LOST
    assert "another process of the run ended" in first.failure().message

    first, second = two_nodes(long, tmp_path)
    assert (first.end(), second.end()) == (ExitCode.OK, ExitCode.OK), first.output + second.output
    assert "Resuming from the checkpoint of" in first.output
    assert first.result().epochs == EPOCHS
    assert not second.message.exists()
    assert model_in(tmp_path / "out") == expected


@pytest.mark.groups
def test_sigterm_to_one_node_stops_the_other_after_the_same_step(long: RunConfig, tmp_path: Path) -> None:
    first, second = two_nodes(long, tmp_path)
    first.until("Checkpoint of epoch 2")
    second.process.send_signal(signal.SIGTERM)
    assert second.end() == ExitCode.INTERRUPTED, second.output
    assert first.end() == ExitCode.PEER_LOST, first.output
    assert "another pod of the run was stopped by SIGTERM" in first.failure().message
    assert re.findall("Checkpoint of (.*) committed", first.output)


@pytest.mark.groups
def test_lost_process_of_a_node_is_told_apart_from_those_that_end_for_it(
    long: RunConfig, tmp_path: Path
) -> None:
    first, second = two_nodes(long, tmp_path, processes=2)
    first.until("Checkpoint of epoch 1")
    os.kill(second.workers()[1], signal.SIGKILL)
    assert second.end() == 128 + signal.SIGKILL, second.output
    assert first.end() == ExitCode.PEER_LOST, first.output
    assert first.failure().reason is Reason.PEER_LOST


@pytest.mark.parametrize(
    ("codes", "cause"),
    [
        ([76, 143], 76),
        ([143, 76, 76], 76),
        ([143, 143], 143),
        ([76, -9, 143], 137),
        ([143, 65], 65),
        ([76], 76),
    ],
)
def test_code_of_a_node_is_that_of_the_cause(codes: list[int], cause: int) -> None:
    assert cause_of(codes) == cause


def test_sigterm_ends_a_node_that_waits_for_the_other(config: RunConfig, tmp_path: Path) -> None:
    pod = Pod(config, tmp_path, node(0, free_port()))
    pod.until("Waiting for nodes [1]")
    pod.process.send_signal(signal.SIGTERM)
    assert pod.end() == ExitCode.INTERRUPTED


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_node_that_waits_in_vain_says_for_what(waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "RENDEZVOUS_SECONDS", 1)
    with pytest.raises(PeersNotReached, match=r"did not .* 1 s.*look at the NetworkPolicies") as raised:
        rendezvous.meet_nodes(ProcessLayout(2, 1, waiting, "127.0.0.1", free_port()))
    assert raised.value.exit_code == ExitCode.PEER_LOST


def two_nodes(config: RunConfig, folder: Path, processes: int = 1) -> tuple[Pod, Pod]:
    """Both on this machine."""
    port = free_port()
    (folder / "second").mkdir(exist_ok=True)
    own = {PROCESSES_VARIABLE: str(processes)}
    return (
        Pod(config, folder, node(0, port) | own),
        Pod(config, folder / "second", node(1, port) | own),
    )


def node(rank: int, port: int) -> dict[str, str]:
    """What the operator tells one of two nodes."""
    return {
        NODES_VARIABLE: "2",
        PROCESSES_VARIABLE: "1",
        NODE_RANK_VARIABLE: str(rank),
        MASTER_ADDRESS_VARIABLE: "127.0.0.1",
        MASTER_PORT_VARIABLE: str(port),
    }
