"""What an end-to-end test does to the cluster and sees of it."""

import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernetes.client import ApiClient, CoreV1Api, CustomObjectsApi
from kubernetes.watch import Watch

from demo.kubernetes import Kubernetes
from demo.objectstore import NAMESPACE
from trainingrun_api.names import API_VERSION, GROUP, INDEX_ANNOTATION, RUN_LABEL, RUN_PLURAL, VERSION
from trainingrun_api.status import TrainingRunStatus

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WHERE = (GROUP, VERSION, NAMESPACE, RUN_PLURAL)
SECONDS = 1500  # shared machines are at times ten times slower for minutes

Predicate = Callable[[TrainingRunStatus], bool]
POD = re.compile(r"^--- Pod (\S+), node (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class FollowedLogs:
    """`trainingrun logs --follow` at work."""

    command: "subprocess.Popen[bytes]"
    file: Path

    def whole(self) -> str:
        """All that it has said; it ends by itself, since the run has ended."""
        assert self.command.wait(120) == 0, self.file.read_text()
        return self.file.read_text()

    def pods(self) -> dict[str, int]:
        """The pods whose lines are in there, in the order of their first ones, with the node of each."""
        return {pod: int(node) for pod, node in POD.findall(self.whole())}


@dataclass(frozen=True)
class World:
    """The cluster, its object store, and the names in them."""

    kubernetes: Kubernetes
    api_client: ApiClient
    s3: "S3Client"
    bucket: str

    def apply(self, spec: Mapping[str, Any], name: str = "run") -> str:
        """Create a run; gives its name, which no other test uses."""
        name = f"{name}-{uuid.uuid4().hex[:6]}"
        manifest = {
            "apiVersion": API_VERSION,
            "kind": "TrainingRun",
            "metadata": {"name": name},
            "spec": spec,
        }
        self._runs.create_namespaced_custom_object(*WHERE, manifest)
        return name

    def run(self, name: str) -> dict[str, Any]:
        """The run as it is stored."""
        found: dict[str, Any] = self._runs.get_namespaced_custom_object(*WHERE, name)
        return found

    def patch(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change fields of the run's spec."""
        self._runs.patch_namespaced_custom_object(*WHERE, name, {"spec": changes})

    def delete(self, name: str) -> None:
        """Delete a run."""
        self._runs.delete_namespaced_custom_object(*WHERE, name)

    def until(self, name: str, condition: Predicate, seconds: int = SECONDS) -> TrainingRunStatus:
        """The first status for which `condition` holds; fails with the story of the run when none comes."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            events = Watch().stream(
                self._runs.list_namespaced_custom_object,
                *WHERE,
                field_selector=f"metadata.name={name}",
                timeout_seconds=max(1, min(60, int(left))),
            )
            for event in events:
                status = TrainingRunStatus.model_validate(event["object"].get("status", {}))
                if condition(status):
                    return status
        raise AssertionError(f"not within {seconds} s\n{self.story(name)}")

    def finished(self, name: str) -> TrainingRunStatus:
        """The status at the end."""
        return self.until(name, lambda status: status.phase.finished)

    def story(self, name: str) -> str:
        """What `kubectl describe` and the pods' logs tell."""
        namespace = ("--namespace", NAMESPACE)
        logs = ("logs", f"--selector={RUN_LABEL}={name}", "--tail=40", "--ignore-errors")
        return "\n".join(
            [
                self.kubernetes.kubectl(*namespace, "describe", "trainingrun", name),
                self.kubernetes.kubectl(*namespace, *logs),
            ]
        )

    def follow(self, name: str, file: Path) -> FollowedLogs:
        """Follow the run's logs into a file, as a user does, until it ends."""
        arguments = ("-m", "trainingrun_cli", "logs", name, "--follow", "--namespace", NAMESPACE)
        with file.open("w") as output:
            command = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(self.kubernetes.environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return FollowedLogs(command, file)

    def log(self, pod: str) -> str:
        """What the pod has logged."""
        return self.kubernetes.kubectl("--namespace", NAMESPACE, "logs", pod)

    def delete_pod(self, namespace: str, selector: str) -> None:
        """Delete the pods that `selector` finds, as an administrator would."""
        core = CoreV1Api(self.api_client)
        pods = core.list_namespaced_pod(namespace, label_selector=selector).items
        assert pods, f"no pod {selector} in {namespace}"
        for pod in pods:
            core.delete_namespaced_pod(pod.metadata.name, namespace)

    def pod(self, run: str, index: int | None = None) -> str:
        """Name of the run's pod that has not ended, in a group of that of this index."""
        of_a_group = f",{INDEX_ANNOTATION}={index}" if index is not None else ""
        pods = CoreV1Api(self.api_client).list_namespaced_pod(
            NAMESPACE,
            label_selector=f"{RUN_LABEL}={run}{of_a_group}",
            field_selector="status.phase=Running",
        )
        (pod,) = pods.items
        return str(pod.metadata.name)

    def execute(self, pod: str, *command: str) -> str:
        """Run a command in the pod's container."""
        return self.kubernetes.kubectl("--namespace", NAMESPACE, "exec", pod, "--", *command)

    def evict(self, pod: str) -> None:
        """Have the pod leave its node, as `kubectl drain` does."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": NAMESPACE},
        }
        CoreV1Api(self.api_client).create_namespaced_pod_eviction(pod, NAMESPACE, eviction)

    def read(self, uri: str) -> bytes:
        """An object's content."""
        key = uri.removeprefix(f"s3://{self.bucket}/")
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def metrics(self, service: str, namespace: str) -> str:
        """What Prometheus would read, through the API server's proxy."""
        return str(
            CoreV1Api(self.api_client).connect_get_namespaced_service_proxy_with_path(
                f"{service}:metrics", namespace, "metrics"
            )
        )

    def objects(self, uri: str) -> set[str]:
        """Names of the objects under `uri`, relative to it."""
        prefix = uri.removeprefix(f"s3://{self.bucket}/").rstrip("/") + "/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])}

    def download(self, uri: str, folder: Path) -> Path:
        """Copy everything under `uri` into `folder`."""
        prefix = uri.removeprefix(f"s3://{self.bucket}/").rstrip("/") + "/"
        for name in self.objects(uri):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(self.bucket, prefix + name, str(target))
        return folder

    def upload(self, folder: Path, prefix: str) -> str:
        """Copy the files of `folder`; gives the URI they are under."""
        for path in filter(Path.is_file, folder.rglob("*")):
            self.s3.upload_file(str(path), self.bucket, f"{prefix}/{path.relative_to(folder)}")
        return f"s3://{self.bucket}/{prefix}"

    @property
    def _runs(self) -> CustomObjectsApi:
        return CustomObjectsApi(self.api_client)
