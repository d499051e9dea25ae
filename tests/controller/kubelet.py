"""Stands for the kubelet: there is no node, so the test says what became of a pod."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from .cluster import Api
from .manifests import Manifest


class Kubelet:
    """Writes pod statuses as a kubelet does."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pod_of(self, job: str, *, after: Manifest | None = None) -> Manifest:
        """The Job's newest pod, once there is one; another one than `after`."""
        old = after["metadata"]["uid"] if after else ""

        def newest() -> Manifest | None:
            fresh = [pod for pod in self._api.pods(job) if _unfinished(pod) and pod["metadata"]["uid"] != old]
            return fresh[-1] if fresh else None

        return self._api.until(newest, f"a pod of Job {job}")

    def group_of(self, job: str, size: int, *, after: Sequence[Manifest] = ()) -> list[Manifest]:
        """The pods of the Job that have not ended, by index, once there is one of each; none of `after`."""
        old = {pod["metadata"]["uid"] for pod in after}

        def group() -> list[Manifest] | None:
            fresh = [
                pod for pod in self._api.pods(job) if _unfinished(pod) and pod["metadata"]["uid"] not in old
            ]
            return sorted(fresh, key=index_of) if len(fresh) == size else None

        return self._api.until(group, f"{size} pods of Job {job}")

    def start(self, pod: Manifest) -> None:
        self._write(pod, "Running", {"running": {"startedAt": _now()}})

    def wait(self, pod: Manifest, reason: str, message: str) -> None:
        self._write(pod, "Pending", {"waiting": {"reason": reason, "message": message}})

    def lack(self, pod: Manifest, volume: str, why: str) -> None:
        """A volume can't be mounted, since a Secret, or a key of one, isn't there."""
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        self._write(pod, "Pending", waiting, [_condition("PodReadyToStartContainers", "False")])
        self._api.apply(_failed_mount(pod, f'MountVolume.SetUp failed for volume "{volume}" : {why}'))

    def mount(self, pod: Manifest) -> None:
        """All its volumes are mounted, and its image is pulled."""
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        self._write(pod, "Pending", waiting, [_condition("PodReadyToStartContainers", "True")])

    def end(self, pod: Manifest, exit_code: int, message: str = "", reason: str = "") -> None:
        terminated = _ended(exit_code) | {"message": message} | ({"reason": reason} if reason else {})
        self._write(pod, "Failed" if exit_code else "Succeeded", {"terminated": terminated})

    def preempt(self, pod: Manifest) -> None:
        """Evicted in favour of another: a disruption, not a failure."""
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "message": "preempted by a critical pod",
        }
        self._write(pod, "Failed", {"terminated": _ended(143)}, [condition])

    def _write(self, pod: Manifest, phase: str, state: Manifest, conditions: Sequence[Manifest] = ()) -> None:
        container = {
            "name": "trainer",
            "image": "example.com/trainer",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        status = {"phase": phase, "containerStatuses": [container], "conditions": list(conditions)}
        self._api.set_pod_status(pod, status)


def index_of(pod: Manifest) -> int:
    """Which of the pods of an Indexed Job it is."""
    return int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])


def _condition(kind: str, value: str) -> Manifest:
    return {"type": kind, "status": value, "lastTransitionTime": _now()}


def _failed_mount(pod: Manifest, message: str) -> Manifest:
    metadata = pod["metadata"]
    involved = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{time.time_ns():x}", "namespace": metadata["namespace"]},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", **involved},
        "reason": "FailedMount",
        "message": message,
        "type": "Warning",
        "source": {"component": "kubelet", "host": "node"},
        "reportingComponent": "kubelet",
        "reportingInstance": "node",
        "firstTimestamp": _now(),
        "lastTimestamp": _now(),
        "count": 1,
    }


def _ended(exit_code: int) -> Manifest:
    reason = "Error" if exit_code else "Completed"
    return {"exitCode": exit_code, "reason": reason, "startedAt": _now(), "finishedAt": _now()}


def _unfinished(pod: Manifest) -> bool:
    return (
        pod["status"].get("phase") not in {"Failed", "Succeeded"}
        and "deletionTimestamp" not in pod["metadata"]
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
