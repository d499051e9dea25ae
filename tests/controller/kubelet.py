"""Stands for the kubelet: there is no node, so the test says what became of a pod."""

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

    def start(self, pod: Manifest) -> None:
        self._write(pod, "Running", {"running": {"startedAt": _now()}})

    def wait(self, pod: Manifest, reason: str, message: str) -> None:
        self._write(pod, "Pending", {"waiting": {"reason": reason, "message": message}})

    def end(self, pod: Manifest, exit_code: int, message: str = "", reason: str = "") -> None:
        terminated = {
            "exitCode": exit_code,
            "reason": reason or ("Error" if exit_code else "Completed"),
            "message": message,
            "startedAt": _now(),
            "finishedAt": _now(),
        }
        self._write(pod, "Failed" if exit_code else "Succeeded", {"terminated": terminated})

    def preempt(self, pod: Manifest) -> None:
        """Evicted in favour of another: a disruption, not a failure."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
        self._api.set_pod_status(
            pod, {"conditions": [condition | {"message": "preempted by a critical pod"}]}
        )
        self.end(pod, 143)

    def _write(self, pod: Manifest, phase: str, state: Manifest) -> None:
        container = {
            "name": "trainer",
            "image": "example.com/trainer",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        self._api.set_pod_status(pod, {"phase": phase, "containerStatuses": [container]})


def _unfinished(pod: Manifest) -> bool:
    return (
        pod["status"].get("phase") not in {"Failed", "Succeeded"}
        and "deletionTimestamp" not in pod["metadata"]
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
