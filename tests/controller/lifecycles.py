"""What becomes of runs, as a user and a kubelet bring it about; the operator may be gone at any moment."""

from collections.abc import Callable
from typing import Any

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_failure, a_project, a_project_run, a_report, a_result, a_run

Lifecycle = Callable[[Api, Kubelet, str], None]
"""Brings a run of this name to its end; other objects' names begin with it."""


def trains(api: Api, kubelet: Kubelet, name: str) -> None:
    """From apply to success, with a report of progress."""
    run = api.apply(a_run(name, modelName=f"{name}-v1"))
    api.eventually(name, phase="Pending", reason="Unschedulable")
    pod = kubelet.pod_of(name)
    kubelet.start(pod)
    api.eventually(name, phase="Running", reason="Training")
    report(api, pod, a_report(run, stage="Evaluating"))
    api.eventually(name, phase="Evaluating")
    kubelet.end(pod, 0, a_result())
    api.eventually(name, phase="Succeeded")
    api.until(lambda: status_of(api, name)["progress"]["percent"] == 100, "progress at its end")


def fails(api: Api, kubelet: Kubelet, name: str) -> None:
    """Its pod is preempted, the next one finds an error in the data."""
    api.apply(a_run(name))
    first = kubelet.pod_of(name)
    kubelet.start(first)
    api.eventually(name, phase="Running")
    kubelet.preempt(first)
    second = kubelet.pod_of(name, after=first)
    kubelet.start(second)
    api.until(lambda: status_of(api, name).get("restarts") == 1, "the restart")
    api.eventually(name, phase="Running")
    kubelet.end(second, 65, a_failure("DataError", "line 3: field 'label' is missing"))
    api.eventually(name, phase="Failed", reason="DataError")


def is_suspended(api: Api, kubelet: Kubelet, name: str) -> None:
    """Suspended before it starts and while it trains."""
    api.apply(a_run(name, suspend=True))
    api.eventually(name, phase="Suspended")
    api.change(name, suspend=False)
    first = kubelet.pod_of(name)
    kubelet.start(first)
    api.eventually(name, phase="Running")
    api.change(name, suspend=True)
    api.eventually(name, phase="Suspended")
    api.until(lambda: not api.pods(name), "the pod to be gone")
    api.change(name, suspend=False)
    second = kubelet.pod_of(name, after=first)
    kubelet.start(second)
    api.eventually(name, phase="Running")
    kubelet.end(second, 0, a_result())
    api.eventually(name, phase="Succeeded")


def takes_two_nodes(api: Api, kubelet: Kubelet, name: str) -> None:
    """A group of two pods and their Service."""
    api.apply(a_run(name, resources={"nodes": 2}))
    first, second = kubelet.group_of(name, 2)
    kubelet.start(first)
    kubelet.start(second)
    api.eventually(name, phase="Running")
    kubelet.end(second, 0)
    kubelet.end(first, 0, a_result())
    api.eventually(name, phase="Succeeded")


def is_deleted(api: Api, kubelet: Kubelet, name: str) -> None:
    """Deleted while it trains."""
    api.apply(a_run(name, modelName=f"{name}-v1", resources={"nodes": 2}))
    for pod in kubelet.group_of(name, 2):
        kubelet.start(pod)
    api.eventually(name, phase="Running")
    api.delete("TrainingRun", name)
    api.until(lambda: api.get("Job", name) is None, "the Job to be collected")


def is_stopped(api: Api, kubelet: Kubelet, name: str) -> None:
    """Stopped while it trains."""
    api.apply(a_run(name))
    kubelet.start(kubelet.pod_of(name))
    api.eventually(name, phase="Running")
    api.change(name, stop=True)
    api.eventually(name, phase="Failed", reason="Stopped")
    api.until(lambda: api.get("Job", name) is None, "the Job to be collected")


def waits(api: Api, kubelet: Kubelet, name: str) -> None:
    """For its project, and another for its model."""
    child = f"{name}-child"
    api.apply(a_project_run(name, f"{name}-project"))
    api.eventually(name, phase="Pending", reason="ProjectNotFound")
    api.apply(a_run(child, baseModel={"fromRun": {"name": name}}))
    api.eventually(child, phase="Pending", reason="BaseModelNotReady")
    api.apply(a_project(f"{name}-project"))
    kubelet.end(kubelet.pod_of(name), 0, a_result())
    api.eventually(name, phase="Succeeded")
    kubelet.end(kubelet.pod_of(child), 0, a_result())
    api.eventually(child, phase="Succeeded")


LIFECYCLES: tuple[Lifecycle, ...] = (
    trains,
    fails,
    is_suspended,
    takes_two_nodes,
    is_deleted,
    is_stopped,
    waits,
)


def report(api: Api, pod: Manifest, progress: Manifest) -> None:
    """Tried again while there is no operator, as the trainer's next one comes soon."""

    def accepted() -> bool:
        try:
            return api.operator.post(progress, api.token(pod))[0] == 204
        except OSError:
            return False

    api.until(accepted, "a report to be accepted")


def status_of(api: Api, name: str) -> Any:
    return (api.get("TrainingRun", name) or {}).get("status", {})
