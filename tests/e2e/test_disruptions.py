"""What a cluster does to pods of its own accord, on a real node: a run ends as if nothing had been."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from e2e.test_main_job import SPEC
from e2e.test_nodes import weights
from e2e.world import World
from kubernetes.client import CoreV1Api, SchedulingV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity
from promises import Promise

from demo.objectstore import NAMESPACE
from localcluster import LocalCluster
from localcluster.process import wait_until
from trainingrun_api.status import Phase, TrainingRunStatus

pytestmark = [pytest.mark.slow, pytest.mark.faults]

TRAINING = {"maxEpochs": 3, "mixedPrecision": "FP32", "earlyStopping": {"patience": 3}}
WITHOUT_RETRIES = {**SPEC, "training": TRAINING, "backoffLimit": 0}
URGENT = "urgent"
LEFT_BYTES = 2 * 2**30
"""Of the node's memory, beside a pod that takes the run's place: enough for the operator."""
NODE_LOST_SECONDS = 180
"""In which the control plane sees that a node is silent."""


@pytest.fixture(scope="module")
def undisturbed(world: World) -> TrainingRunStatus:
    name = world.apply(WITHOUT_RETRIES, "undisturbed")
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    return status


def evicted(world: World, run: str) -> None:
    """As by `kubectl drain`."""
    world.evict(world.pod(run))


def preempted(world: World, run: str) -> None:
    """Its node's memory goes to a pod of higher priority, which soon ends."""
    core, scheduling = CoreV1Api(world.api_client), SchedulingV1Api(world.api_client)
    scheduling.create_priority_class({"metadata": {"name": URGENT}, "value": 1000})
    pod = core.read_namespaced_pod(world.pod(run), NAMESPACE)
    room = memory_of(core.read_node(pod.spec.node_name)) - LEFT_BYTES
    container = {
        "name": "takes-its-place",
        "image": pod.spec.containers[0].image,
        "command": ["sleep", "5"],
        "resources": {"requests": {"memory": str(room)}},
    }
    manifest = {
        "metadata": {"name": URGENT},
        "spec": {"priorityClassName": URGENT, "restartPolicy": "Never", "containers": [container]},
    }
    try:
        core.create_namespaced_pod(NAMESPACE, manifest)
        wait_until(
            lambda: core.read_namespaced_pod(URGENT, NAMESPACE).status.phase == "Succeeded",
            "the urgent pod to end",
            seconds=300,
        )
    finally:
        core.delete_namespaced_pod(URGENT, NAMESPACE)
        scheduling.delete_priority_class(URGENT)


def suspended_and_resumed(world: World, run: str) -> None:
    """By its owner."""
    world.patch(run, {"suspend": True})
    world.until(run, lambda status: status.phase is Phase.SUSPENDED)
    world.patch(run, {"suspend": False})


def driven_off_by_a_taint(world: World, run: str) -> None:
    """As before a node's maintenance."""
    pod = world.pod(run)
    with tainted(world, "maintenance"):
        wait_until(lambda: is_gone(world, pod), "its pod to leave", seconds=300)


def cut_off_with_its_node(world: World, run: str) -> None:
    """The kubelet falls silent while the trainer goes on; the administrator gives the node up."""
    pod, kubelet = world.pod(run), kubelet_pid()
    os.kill(kubelet, signal.SIGSTOP)
    try:
        wait_until(lambda: not is_ready(world), "the node to be missed", seconds=NODE_LOST_SECONDS)
        with tainted(world, "node.kubernetes.io/out-of-service"):
            wait_until(lambda: is_gone(world, pod), "its pod to be given up", seconds=NODE_LOST_SECONDS)
    finally:
        os.kill(kubelet, signal.SIGCONT)


@contextmanager
def tainted(world: World, key: str) -> Iterator[None]:
    """The node, so that no pod stays there."""
    world.kubernetes.kubectl("taint", "node", "--all", f"{key}=test:NoExecute")
    try:
        yield
    finally:
        world.kubernetes.kubectl("taint", "node", "--all", f"{key}-")


def is_gone(world: World, pod: str) -> bool:
    try:
        CoreV1Api(world.api_client).read_namespaced_pod(pod, NAMESPACE)
    except ApiException as error:
        return bool(error.status == 404)
    return False


def is_ready(world: World) -> bool:
    (node,) = CoreV1Api(world.api_client).list_node().items
    return next(one.status == "True" for one in node.status.conditions if one.type == "Ready")


def kubelet_pid() -> int:
    """Of the local cluster's node."""
    parent = str(LocalCluster().supervisor)
    return int(subprocess.check_output(["pgrep", "--parent", parent, "--exact", "kubelet"]))


def memory_of(node: Any) -> int:
    """Bytes that pods can have."""
    return int(parse_quantity(node.status.allocatable["memory"]))


@pytest.mark.parametrize(
    "disrupted",
    [evicted, preempted, suspended_and_resumed, driven_off_by_a_taint, cut_off_with_its_node],
    ids=lambda disrupted: disrupted.__name__,
)
def test_a_run_whose_pod_is_taken_from_it_ends_as_an_undisturbed_one(
    world: World,
    undisturbed: TrainingRunStatus,
    disrupted: Callable[[World, str], None],
    promise: Promise,
) -> None:
    name = world.apply(WITHOUT_RETRIES, "disrupted")
    world.until(name, lambda status: len(status.epochs) > 1)
    disrupted(world, name)
    status = world.finished(name)
    assert status.phase is Phase.SUCCEEDED, world.story(name)
    assert status.epochs == undisturbed.epochs
    assert status.evaluation == undisturbed.evaluation
    assert weights(world, status) == weights(world, undisturbed)
    log = world.log(str(status.pod_name))
    ended_alone = disrupted is cut_off_with_its_node and "results of this run are already published" in log
    assert ended_alone or "Resuming from the checkpoint" in log
    world.delete(name)
    promise(
        "Trainer",
        "A run whose pod is taken from it by the cluster goes on from its checkpoint, whatever "
        "`backoffLimit` says, and ends with weights and scores of an undisturbed one, to the bit",
        disrupted.__name__.replace("_", " "),
    )
