"""A user's and a kubelet's hands on a real API server."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from trainingrun_api.names import API_VERSION, PROGRESS_AUDIENCE, PROGRESS_FIELD_MANAGER

from .manifests import Manifest
from .process import OperatorProcess

# Shared machines are at times ten times slower for minutes.
WAIT_SECONDS = 60.0
# Whoever asks too often keeps a slow machine from what is waited for.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
T = TypeVar("T")


class Api:
    """One namespace of the API server."""

    def __init__(
        self,
        client: ApiClient,
        namespace: str,
        operator: OperatorProcess,
        patience_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.namespace = namespace
        self.patience_seconds = patience_seconds
        self.operator = operator
        self._client = client
        self._dynamic = DynamicClient(client)

    def apply(self, manifest: Manifest) -> Manifest:
        resource = self.resource(manifest["kind"], manifest["apiVersion"])
        return resource.create(manifest, namespace=self.namespace).to_dict()

    def change(self, name: str, **spec: Any) -> Manifest:
        """Merge into the spec of a run."""
        return self._patch("TrainingRun", name, {"spec": spec})

    def change_project(self, name: str, **spec: Any) -> Manifest:
        """Merge into the spec of a project."""
        return self._patch("TrainingProject", name, {"spec": spec})

    def suspend_job(self, name: str, suspend: bool) -> None:
        """What a queue does."""
        self._patch("Job", name, {"spec": {"suspend": suspend}})

    def get(self, kind: str, name: str) -> Manifest | None:
        try:
            return self.resource(kind).get(name, namespace=self.namespace).to_dict()
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def delete(self, kind: str, name: str) -> None:
        self.resource(kind).delete(name, namespace=self.namespace, body={"propagationPolicy": "Background"})

    def events(self, name: str) -> list[str]:
        """Reasons of the run's Events, oldest first."""
        items = self.resource("Event").get(namespace=self.namespace).items
        told = [e for e in items if (e.involvedObject.kind, e.involvedObject.name) == ("TrainingRun", name)]
        return [e.reason for e in sorted(told, key=lambda e: (e.lastTimestamp, e.metadata.name))]

    def pods(self, job: str) -> list[Manifest]:
        selector = f"batch.kubernetes.io/job-name={job}"
        found = self.resource("Pod").get(namespace=self.namespace, label_selector=selector).to_dict()
        return sorted(found["items"], key=lambda pod: pod["metadata"]["creationTimestamp"])

    def selected(self, kind: str, selector: Manifest) -> list[Manifest]:
        """The objects that a label selector finds, as written in a manifest."""
        wanted = [f"{name}={value}" for name, value in selector["matchLabels"].items()]
        wanted += [one["key"] for one in selector["matchExpressions"] if one["operator"] == "Exists"]
        found = self.resource(kind).get(namespace=self.namespace, label_selector=",".join(wanted))
        return list(found.to_dict()["items"])

    def token(self, pod: Manifest, audience: str = PROGRESS_AUDIENCE) -> str:
        """The token that the kubelet would mount into this pod."""
        reference = {
            "kind": "Pod",
            "apiVersion": "v1",
            "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
        }
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "boundObjectRef": reference},
        }
        accounts = self.resource("ServiceAccount")
        answer = accounts.subresources["token"].create(body, name="default", namespace=self.namespace)
        return str(answer.status.token)

    def eventually(self, name: str, *, phase: str, reason: str = "", message: str = "") -> Manifest:
        """The run, once its Succeeded condition is as asked for."""

        def reached() -> Manifest | None:
            run = self.get("TrainingRun", name) or {}
            status = run.get("status", {})
            condition = (status.get("conditions") or [{"reason": "", "message": ""}])[0]
            fits = status.get("phase") == phase and reason in {"", condition["reason"]}
            return run if fits and message in condition["message"] else None

        return self.until(reached, f"{name} to be {phase} {reason} {message}")

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """What `condition` gives, once it gives something; with the whole story when it doesn't."""
        began = time.monotonic()
        while not (found := condition()):
            waited = time.monotonic() - began
            if waited > self.patience_seconds:
                raise AssertionError(f"waited in vain for {what}\n{self._story()}")
            time.sleep(min(max(SHORTEST_PAUSE, waited / 10), LONGEST_PAUSE))
        return found

    def _story(self) -> str:
        runs = self.resource("TrainingRun").get(namespace=self.namespace).to_dict()["items"]
        statuses = [f"{run['metadata']['name']}: {json.dumps(run.get('status'), indent=1)}" for run in runs]
        return "\n".join(
            [*statuses, *(str(self.events(r["metadata"]["name"])) for r in runs), self.operator.log_tail()]
        )

    def set_pod_status(self, pod: Manifest, status: Manifest) -> None:
        """What a kubelet writes."""
        path = self.resource("Pod").subresources["status"]
        path.patch(
            {"status": status},
            name=pod["metadata"]["name"],
            namespace=self.namespace,
            content_type="application/strategic-merge-patch+json",
        )

    def write_progress(self, name: str, status: Manifest) -> None:
        """What another replica of the operator writes."""
        resource = self.resource("TrainingRun")
        body = {
            "apiVersion": API_VERSION,
            "kind": "TrainingRun",
            "metadata": {"name": name},
            "status": status,
        }
        resource.subresources["status"].server_side_apply(
            body, name=name, namespace=self.namespace, field_manager=PROGRESS_FIELD_MANAGER
        )

    def _patch(self, kind: str, name: str, body: Manifest) -> Manifest:
        resource = self.resource(kind)
        return resource.patch(
            body, name=name, namespace=self.namespace, content_type="application/merge-patch+json"
        ).to_dict()

    def resource(self, kind: str, api_version: str | None = None) -> Any:
        """All objects of a kind, of all namespaces."""
        return self._dynamic.resources.get(api_version=api_version or VERSIONS[kind], kind=kind)


VERSIONS = {
    "TrainingRun": API_VERSION,
    "TrainingProject": API_VERSION,
    "Job": "batch/v1",
    "Lease": "coordination.k8s.io/v1",
    "Pod": "v1",
    "Secret": "v1",
    "Event": "v1",
    "Namespace": "v1",
    "ResourceQuota": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
}
