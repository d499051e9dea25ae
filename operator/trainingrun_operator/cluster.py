"""All talk with the API server; nothing else in the operator does I/O with it."""

import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

from trainingrun_api.names import (
    API_VERSION,
    GROUP,
    OPERATOR,
    PROGRESS_FIELD_MANAGER,
    PROJECT_PLURAL,
    RUN_KIND,
    RUN_LABEL,
    RUN_PLURAL,
    VERSION,
)
from trainingrun_api.progress import ProgressReport
from trainingrun_api.status import TrainingRunStatus

from .errors import ApiError
from .resources import Manifest, RunKey

TIMEOUT_SECONDS = 30
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
OF_THE_TRAINER = {"progress", "epochs"}


@asynccontextmanager
async def connected() -> AsyncIterator["Cluster"]:
    """The cluster this process runs in, else the one of KUBECONFIG."""
    configuration = Configuration()
    if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
        load_incluster_config(configuration)
    else:
        await load_kube_config(client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield Cluster(client)


class Cluster:
    """Typed verbs over the API. All raise ApiError; `get` verbs give None for what doesn't exist."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def run(self, key: RunKey) -> Manifest | None:
        """A TrainingRun."""
        return await self._get(_runs(key.namespace, key.name))

    async def runs(self, namespaces: Iterable[str]) -> list[Manifest]:
        """All TrainingRuns of these namespaces, of the whole cluster for none."""
        paths = [_runs(namespace) for namespace in namespaces] or [f"/apis/{API_VERSION}/{RUN_PLURAL}"]
        return [item for path in paths for item in (await self._request("GET", path))["items"]]

    async def project(self, namespace: str, name: str) -> Manifest | None:
        """A TrainingProject."""
        return await self._get(f"/apis/{API_VERSION}/namespaces/{namespace}/{PROJECT_PLURAL}/{name}")

    async def secret(self, namespace: str, name: str) -> Manifest | None:
        """A Secret."""
        return await self._get(_core(namespace, "secrets", name))

    async def create_secret(self, namespace: str, body: Manifest) -> Manifest:
        """Create a Secret; ApiError 409 when there is one."""
        return await self._request("POST", _core(namespace, "secrets"), body)

    async def replace_secret(self, namespace: str, body: Manifest) -> Manifest:
        """Replace a Secret; ApiError 409 when it isn't as it was read."""
        return await self._request("PUT", _core(namespace, "secrets", body["metadata"]["name"]), body)

    async def pod(self, namespace: str, name: str) -> Manifest | None:
        """A Pod."""
        return await self._get(_core(namespace, "pods", name))

    async def pods_of(self, key: RunKey) -> list[Manifest]:
        """The Pods with the run's label."""
        query = {"labelSelector": f"{RUN_LABEL}={key.name}"}
        answer = await self._request("GET", _core(key.namespace, "pods"), query=query)
        items: list[Manifest] = answer["items"]
        return items

    async def job(self, key: RunKey) -> Manifest | None:
        """The Job that has the run's name."""
        return await self._get(_jobs(key.namespace, key.name))

    async def create_job(self, job: Manifest) -> Manifest:
        """Create a Job; ApiError 409 when there is one of this name."""
        return await self._request("POST", _jobs(job["metadata"]["namespace"]), job)

    async def patch_job(self, key: RunKey, uid: str, spec: Mapping[str, Any]) -> Manifest:
        """Change fields of the spec of the Job with this UID; None removes one."""
        body = {"metadata": {"uid": uid}, "spec": spec}
        return await self._request("PATCH", _jobs(*key), body, content_type=MERGE_PATCH)

    async def delete_job(self, key: RunKey, uid: str) -> None:
        """Delete the Job with this UID, and its Pods after it."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._request("DELETE", _jobs(*key), body)

    async def apply_status(self, key: RunKey, uid: str, status: TrainingRunStatus) -> None:
        """Write the operator's part of the status."""
        body = status.model_dump(mode="json", exclude_none=True, exclude=OF_THE_TRAINER)
        await self._apply(key, uid, body, OPERATOR)

    async def apply_progress(self, report: ProgressReport) -> None:
        """Write the trainer's part of the status."""
        body = report.model_dump(mode="json", exclude_none=True, include=OF_THE_TRAINER)
        key = RunKey(report.run.namespace, report.run.name)
        await self._apply(key, report.run.uid, body, PROGRESS_FIELD_MANAGER)

    async def create_event(self, event: Manifest) -> None:
        """Create an Event, unless there is one of this name."""
        namespace = event["metadata"]["namespace"]
        try:
            await self._request("POST", _core(namespace, "events"), event)
        except ApiError as error:
            if error.status != 409:
                raise

    async def review_token(self, token: str, audience: str) -> Manifest:
        """The status of a TokenReview."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [audience]},
        }
        answer = await self._request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
        status: Manifest = answer.get("status", {})
        return status

    async def _apply(self, key: RunKey, uid: str, status: Manifest, manager: str) -> None:
        metadata = {"name": key.name, "namespace": key.namespace, "uid": uid}
        body = {"apiVersion": API_VERSION, "kind": RUN_KIND, "metadata": metadata, "status": status}
        query = {"fieldManager": manager, "force": "true"}
        await self._request("PATCH", f"{_runs(*key)}/status", body, query=query, content_type=APPLY_PATCH)

    async def _get(self, path: str) -> Manifest | None:
        try:
            return await self._request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def _request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        try:
            request = await self._client.param_serialize(
                method,
                path,
                query_params=dict(query or {}),
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = await self._client.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
            content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(0, f"{method} {path}: {error or type(error).__name__}") from error
        if response.status >= 400:
            raise ApiError(response.status, _message(content))
        answer: Manifest = json.loads(content)
        return answer


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:500]


def _runs(namespace: str, name: str = "") -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{RUN_PLURAL}/{name}".rstrip("/")


def _jobs(namespace: str, name: str = "") -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}".rstrip("/")


def _core(namespace: str, plural: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}/{name}".rstrip("/")
