"""Two nodes with two processes each, on a real node: the same model as one process, whatever is lost."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from e2e.test_main_job import SPEC, succeeded
from e2e.world import World
from transformers import AutoModel

from demo.objectstore import NAMESPACE
from trainingrun_api.names import INDEX_ANNOTATION, RUN_LABEL
from trainingrun_api.status import Phase, TrainingRunStatus
from trainingrun_trainer.model import default_model_folder

pytestmark = pytest.mark.slow

TWO_PROCESSES = {"name": "trainer", "env": [{"name": "PET_NPROC_PER_NODE", "value": "2"}]}
EPOCHS = 4
ON_TWO_NODES = {
    "resources": {"nodes": 2, "cpu": "200m", "memory": "3Gi"},
    "podTemplate": {"spec": {"containers": [TWO_PROCESSES]}},
}

END_A_RANK = """
import os, signal
for process in filter(str.isdecimal, os.listdir("/proc")):
    environment = open(f"/proc/{process}/environ", "rb").read().split(b"\\0")
    if b"LOCAL_RANK=1" in environment:
        os.kill(int(process), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def alone(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The spec of a run of one process."""
    training = {
        "maxEpochs": EPOCHS,
        "learningRate": 1e-3,
        "mixedPrecision": "FP32",
        "adversarialEpsilon": 0,
        # What is published is of after a disturbance.
        "earlyStopping": {"metric": "Accuracy", "patience": EPOCHS},
    }
    base = small_model(world, tmp_path_factory.mktemp("small"))
    return {**SPEC, "baseModel": base, "training": training}


@pytest.fixture(scope="module")
def pair(world: World, alone: dict[str, Any]) -> TrainingRunStatus:
    """A run on two nodes that nothing happens to."""
    name = world.apply({**alone, **ON_TWO_NODES}, "pair")
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.restarts == 0
    assert status.best_epoch is not None
    assert status.best_epoch > 1
    return status


def small_model(world: World, folder: Path, **settings: float) -> dict[str, str]:
    """In the bucket: the first layer of the default model, so that little time is spent on computing."""
    shutil.copytree(default_model_folder(), folder, dirs_exist_ok=True)
    AutoModel.from_pretrained(folder, num_hidden_layers=1, **settings).save_pretrained(folder)
    return {"uri": world.upload(folder, f"models/{folder.name}")}


def weights(world: World, status: TrainingRunStatus) -> str:
    """A digest of the published weights."""
    assert status.artifacts is not None
    return hashlib.sha256(world.read(f"{status.artifacts.model}/model.safetensors")).hexdigest()


@pytest.mark.groups
def test_losses_are_those_of_one_process(world: World, alone: dict[str, Any], tmp_path: Path) -> None:
    silent = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    spec = {**alone, "baseModel": small_model(world, tmp_path / "no-dropout", **silent)}
    names = [world.apply(spec, "alone"), world.apply({**spec, **ON_TWO_NODES}, "pair")]
    single, group = [world.finished(name).epochs for name in names]
    assert len(single) == len(group) == EPOCHS + 1
    for one, other in zip(single, group, strict=True):
        # Sums of another order let the solver of the first head stop elsewhere, by 1e-4.
        assert other.training_loss == pytest.approx(one.training_loss, abs=5e-3)
        assert other.evaluation_loss == pytest.approx(one.evaluation_loss, abs=5e-3)


def kill_a_process(world: World, run: str) -> None:
    world.execute(world.pod(run, 1), "python3", "-c", END_A_RANK)


def delete_a_pod(world: World, run: str) -> None:
    world.delete_pod(NAMESPACE, f"{RUN_LABEL}={run},{INDEX_ANNOTATION}=1")


def drain_the_node_of_a_pod(world: World, run: str) -> None:
    world.evict(world.pod(run, 1))


def stop_the_first_pod(world: World, run: str) -> None:
    world.execute(world.pod(run, 0), "sh", "-c", "kill -TERM 1")


class Loss(NamedTuple):
    """What happens to a group, and what becomes of it."""

    happen: Callable[[World, str], None]
    backoff_limit: int
    reason: str


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(Loss(kill_a_process, 1, "OutOfMemory"), marks=pytest.mark.groups),
        pytest.param(Loss(delete_a_pod, 1, "Interrupted"), marks=pytest.mark.groups),
        pytest.param(Loss(drain_the_node_of_a_pod, 0, "Interrupted"), marks=pytest.mark.groups),
        pytest.param(Loss(stop_the_first_pod, 1, "Interrupted"), marks=pytest.mark.groups),
    ],
    ids=lambda loss: loss.happen.__name__,
)
def test_group_comes_back_with_the_same_model(
    world: World, pair: TrainingRunStatus, alone: dict[str, Any], loss: Loss, tmp_path: Path
) -> None:
    name = world.apply({**alone, **ON_TWO_NODES, "backoffLimit": loss.backoff_limit}, "disturbed")
    logs = world.follow(name, tmp_path / "log")
    world.until(name, lambda status: len(status.epochs) > 1)
    loss.happen(world, name)
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.restarts == 1
    assert status.last_failure is not None
    assert status.last_failure.reason == loss.reason
    assert status.epochs == pair.epochs
    assert status.evaluation == pair.evaluation
    assert weights(world, status) == weights(world, pair)
    assert sorted(logs.pods().values()) == [0, 0, 1, 1], "of both nodes, before and after"
    world.delete(name)


def test_group_that_asks_for_more_gpus_than_there_are_waits_whole(world: World) -> None:
    greedy = {"nodes": 2, "gpusPerNode": 2, "cpu": "200m", "memory": "1Gi"}
    name = world.apply({**SPEC, "resources": greedy, "pendingDeadlineSeconds": 60}, "greedy")
    message = "1 of 2 pods run. Pod greedy-"
    waiting = world.until(name, lambda status: any(message in c.message for c in status.conditions))
    assert succeeded(waiting) == ("Unknown", "Unschedulable")
    assert "Insufficient nvidia.com/gpu" in waiting.conditions[0].message
    failed = world.finished(name)
    assert succeeded(failed) == ("False", "PendingDeadlineExceeded")
    assert failed.start_time is None
    world.delete(name)
