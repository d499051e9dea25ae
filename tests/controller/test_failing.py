"""What fails a run, what is tried again, and what the user is told."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kubernetes.client.exceptions import ApiException

from localcluster import ControlPlane
from localcluster.process import Process
from trainingrun_operator.backend import BACKEND

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_failure, a_run


def test_user_error_fails_at_once_with_what_to_change(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("bad"))
    message = "s3://data/tickets.jsonl, line 3: field 'label' is missing"
    kubelet.end(kubelet.pod_of("bad"), 65, a_failure("DataError", message))
    run = api.eventually("bad", phase="Failed", reason="DataError", message=message)
    assert run["status"]["restarts"] == 0
    assert len(api.pods("bad")) == 1
    assert api.events("bad")[-1] == "DataError"


def test_words_with_any_characters_are_told(api: Api, kubelet: Kubelet) -> None:
    strange = "🙂 \u00e9\u0000\u008e\ufffe\U0001f9d1\u200d\U0001f52c"
    api.apply(a_run("strange", labels={"include": [strange]}))
    kubelet.end(kubelet.pod_of("strange"), 65, a_failure("DataError", f"label {strange} is only once"))
    run = api.eventually("strange", phase="Failed", reason="DataError", message="label 🙂 \u00e9")
    assert run["status"]["startedWith"]["config"]["labels"]["include"] == [strange]


def test_failed_run_keeps_its_pod_until_the_job_has_failed_too(
    api: Api, kubelet: Kubelet, control_plane: ControlPlane
) -> None:
    api.apply(a_run("bad"))
    pod = kubelet.pod_of("bad")
    with stopped(control_plane.processes["kube-controller-manager"]):
        kubelet.end(pod, 65, a_failure("DataError", "line 3"))
        api.eventually("bad", phase="Failed", reason="DataError")
        time.sleep(2)  # the operator, which sees what it wrote itself, has looked at the run again
        assert api.get("Job", "bad") is not None
    api.until(lambda: BACKEND.read(api.get("Job", "bad") or {}).failed, "the Job to fail")
    assert [one["metadata"]["name"] for one in api.pods("bad")] == [pod["metadata"]["name"]]


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """The process does nothing meanwhile, as on a busy machine."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_trouble_that_may_pass_is_tried_again(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("shaky", backoffLimit=1))
    first = kubelet.pod_of("shaky")
    kubelet.start(first)
    api.eventually("shaky", phase="Running")
    kubelet.end(first, 75, a_failure("StorageUnavailable", "the bucket can't be reached"))
    api.eventually("shaky", phase="Pending", reason="Restarting", message="the bucket can't be reached")

    second = kubelet.pod_of("shaky", after=first)
    kubelet.start(second)
    run = api.eventually("shaky", phase="Running")
    assert run["status"]["restarts"] == 1
    assert run["status"]["podName"] == second["metadata"]["name"]
    assert "Restarted" in api.events("shaky")

    kubelet.end(second, 75, a_failure("StorageUnavailable", "the bucket can't be reached"))
    message = "StorageUnavailable: the bucket can't be reached"
    api.eventually("shaky", phase="Failed", reason="BackoffLimitExceeded", message=message)


def test_deleted_pod_of_a_run_that_is_not_tried_again_stays_known_as_the_cause(
    api: Api, kubelet: Kubelet
) -> None:
    api.apply(a_run("once", backoffLimit=0))
    pod = kubelet.pod_of("once")
    kubelet.start(pod)
    api.eventually("once", phase="Running")
    api.delete("Pod", pod["metadata"]["name"])
    name = pod["metadata"]["name"]
    api.eventually("once", phase="Failed", reason="BackoffLimitExceeded", message=f"Pod {name} was deleted")


def test_node_without_its_gpu_is_told_and_another_is_tried(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("blind", backoffLimit=1, resources={"gpusPerNode": 1}))
    first = kubelet.pod_of("blind")
    kubelet.end(first, 71, a_failure("GPUNotFound", "torch sees no GPU"))
    api.eventually("blind", phase="Pending", reason="Restarting", message="GPUNotFound: torch sees no GPU")
    kubelet.end(kubelet.pod_of("blind", after=first), 71)
    run = api.eventually("blind", phase="Failed", reason="BackoffLimitExceeded", message="GPUNotFound: ")
    assert run["status"]["restarts"] == 1


def test_preemption_does_not_count(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("evicted", backoffLimit=0))
    first = kubelet.pod_of("evicted")
    kubelet.start(first)
    api.eventually("evicted", phase="Running")
    kubelet.preempt(first)
    kubelet.start(kubelet.pod_of("evicted", after=first))
    run = api.eventually("evicted", phase="Running")
    assert run["status"]["restarts"] == 1


def test_pod_that_its_node_turns_away_says_why(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("full"))
    pod = kubelet.pod_of("full")
    message = "Node didn't have enough resource: nvidia.com/gpu, requested: 1, used: 1, capacity: 1"
    api.set_pod_status(pod, {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": message})
    api.eventually("full", phase="Pending", reason="Restarting", message=message)


@pytest.mark.parametrize("reason", ["OOMKilled", "Error"])  # the latter where the runtime doesn't know
def test_out_of_memory_says_which_field_to_raise(api: Api, kubelet: Kubelet, reason: str) -> None:
    api.apply(a_run("hungry", backoffLimit=0, resources={"memory": "2Gi"}))
    kubelet.end(kubelet.pod_of("hungry"), 137, reason=reason)
    api.eventually("hungry", phase="Failed", reason="OutOfMemory", message="more memory than 2Gi")


def test_exit_without_a_message_names_the_log(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("silent", backoffLimit=0))
    pod = kubelet.pod_of("silent")
    kubelet.end(pod, 1)
    message = f"kubectl logs {pod['metadata']['name']}"
    api.eventually("silent", phase="Failed", reason="BackoffLimitExceeded", message=message)


def test_another_experiment_needs_another_run(api: Api) -> None:
    api.apply(a_run("fixed"))
    with pytest.raises(ApiException, match="a new TrainingRun"):
        api.change("fixed", training={"maxEpochs": 3})
