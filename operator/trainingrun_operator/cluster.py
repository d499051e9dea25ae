"""All talk with the API server; nothing else in the operator does I/O with it."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies_environment

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

from trainingrun_api.names import (
    API_VERSION,
    MANAGED_BY_LABEL,
    OPERATOR,
    PROGRESS_FIELD_MANAGER,
    RUN_KIND,
    RUN_LABEL,
)
from trainingrun_api.progress import ProgressReport
from trainingrun_api.server_side_apply import CONTENT_TYPE, apply_patch
from trainingrun_api.status import TrainingRunStatus

from .errors import ApiError
from .kinds import PODS, RUNS, TOKEN_REVIEWS, Kind, resource_of
from .resources import Key, Manifest, Run, RunKey, key_of

TIMEOUT_SECONDS = 30
PAGE = 500
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
KEY_SET = {"Accept": "application/jwk-set+json"}
METADATA_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
APPLY_PATCH = {"Content-Type": CONTENT_TYPE}
OF_THE_TRAINER = {"progress", "epochs"}

Count = Callable[[str, str, str], None]
"""Told of a request's method, the kind of object it is about, and the status code of its answer, such as
PATCH, trainingruns/status and 200."""
NO_ANSWER = "none"
"""Instead of a status code."""


def _no_count(method: str, resource: str, code: str) -> None: ...


def _no_fence() -> None: ...


@asynccontextmanager
async def connected(count: Count = _no_count) -> AsyncIterator["Cluster"]:
    """The cluster this process runs in, else the one of KUBECONFIG; `count` is told of each request."""
    configuration = Configuration()
    if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
        load_incluster_config(configuration)
    else:
        await load_kube_config(client_configuration=configuration)
    # Two threads for each request look for a proxy and for passwords there.
    configuration.client_session_kwargs = {"trust_env": bool(getproxies_environment())}
    async with ApiClient(configuration) as client:
        yield Cluster(client, count)


class Cluster:
    """Verbs over the API. All raise ApiError."""

    def __init__(
        self, client: ApiClient, count: Count = _no_count, fence: Callable[[], None] = _no_fence
    ) -> None:
        self._client = client
        self._count = count
        self._fence = fence

    def fenced(self, fence: Callable[[], None]) -> "Cluster":
        """The same, which calls `fence` before each write; that raises ApiError when it isn't allowed."""
        return Cluster(self._client, self._count, fence)

    async def get(self, kind: Kind, key: Key) -> Manifest | None:
        """An object; None when there is none of this name."""
        try:
            return await self._request("GET", kind.path(*key))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def version_of(self, group: str) -> str | None:
        """The version that the API server prefers of an API group; None when it doesn't serve the group."""
        try:
            answer = await self._request("GET", f"/apis/{group}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return str(answer["preferredVersion"]["version"])

    async def pages(
        self, kind: Kind, namespaces: Iterable[str], *, metadata_only: bool = False
    ) -> AsyncIterator[tuple[int, list[Manifest]]]:
        """All objects of a kind in these namespaces, of the whole cluster for none, a page at a time.

        With the resourceVersion of which they are.
        """
        headers = METADATA_LIST if metadata_only else JSON
        for path in [kind.path(namespace) for namespace in namespaces] or [kind.path()]:
            chosen = {"labelSelector": kind.selector, "fieldSelector": kind.fields}
            query = {"limit": str(PAGE)} | {name: value for name, value in chosen.items() if value}
            while True:
                answer = await self._request("GET", path, query=query, headers=headers)
                yield int(answer["metadata"]["resourceVersion"]), answer["items"] or []  # null for none
                if not (further := answer["metadata"].get("continue")):
                    break
                query["continue"] = further

    async def pods_of(self, key: RunKey) -> tuple[int, list[Manifest]]:
        """The Pods with the run's label and the operator's, and the resourceVersion at which they are so."""
        query = {"labelSelector": f"{MANAGED_BY_LABEL}={OPERATOR},{RUN_LABEL}={key.name}"}
        answer = await self._request("GET", PODS.path(key.namespace), query=query)
        return int(answer["metadata"]["resourceVersion"]), answer["items"]

    async def create(self, kind: Kind, body: Manifest) -> Manifest:
        """Create an object; ApiError 409 when there is one of this name, 400 when it can't have a field."""
        path, strict = kind.path(body["metadata"]["namespace"]), {"fieldValidation": "Strict"}
        return await self._request("POST", path, body, query=strict)

    async def completed(self, kind: Kind, body: Manifest) -> Manifest:
        """An object as the API server and its webhooks would complete it; nothing is created."""
        metadata = {name: value for name, value in body["metadata"].items() if name != "name"}
        body = body | {"metadata": metadata | {"generateName": f"{body['metadata']['name']}-"}}
        return await self._request("POST", kind.path(metadata["namespace"]), body, query={"dryRun": "All"})

    async def replace(self, kind: Kind, body: Manifest) -> Manifest:
        """Replace an object; ApiError 409 when it isn't as it was read."""
        return await self._request("PUT", kind.path(*key_of(body)), body)

    async def patch_spec(self, kind: Kind, key: Key, uid: str, spec: Mapping[str, Any]) -> Manifest:
        """Change fields of the spec of the object with this UID; None removes one."""
        body = {"metadata": {"uid": uid}, "spec": spec}
        return await self._request("PATCH", kind.path(*key), body, headers=MERGE_PATCH)

    async def delete(self, kind: Kind, key: Key, uid: str) -> None:
        """Delete the object with this UID, and after it what belongs to it."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._request("DELETE", kind.path(*key), body)

    async def apply_status(self, run: Run, status: TrainingRunStatus) -> Manifest:
        """Write the operator's part of the status of `run`; ApiError 409 when that has changed since."""
        body = status.model_dump(mode="json", exclude_none=True, exclude=OF_THE_TRAINER)
        return await self._apply(
            run.key, {"uid": run.uid, "resourceVersion": str(run.version)}, body, OPERATOR
        )

    async def apply_progress(self, report: ProgressReport) -> Manifest:
        """Write the trainer's part of the status."""
        body = report.model_dump(mode="json", exclude_none=True, include=OF_THE_TRAINER)
        key = RunKey(report.run.namespace, report.run.name)
        return await self._apply(key, {"uid": report.run.uid}, body, PROGRESS_FIELD_MANAGER)

    async def review_token(self, token: str, audience: str) -> Manifest:
        """The status of a TokenReview."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [audience]},
        }
        answer = await self._request("POST", TOKEN_REVIEWS.path(), body)
        status: Manifest = answer.get("status", {})
        return status

    async def token_issuer(self) -> tuple[str, Manifest]:
        """Who issues service account tokens, and the keys that they are signed with, as a JWK set."""
        configuration = await self._request("GET", "/.well-known/openid-configuration")
        return str(configuration["issuer"]), await self._request("GET", "/openid/v1/jwks", headers=KEY_SET)

    async def _apply(
        self, key: RunKey, expected: Mapping[str, str], status: Manifest, manager: str
    ) -> Manifest:
        metadata = {"name": key.name, "namespace": key.namespace, **expected}
        body = {"apiVersion": API_VERSION, "kind": RUN_KIND, "metadata": metadata, "status": status}
        query = {"fieldManager": manager, "force": "true"}
        path = f"{RUNS.path(*key)}/status"
        return await self._request("PATCH", path, apply_patch(body), query=query, headers=APPLY_PATCH)

    async def _request(
        self,
        method: str,
        path: str,
        body: Manifest | str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] = JSON,
    ) -> Manifest:
        if method != "GET":
            self._fence()
        try:
            request = await self._client.param_serialize(
                method,
                path,
                query_params=dict(query or {}),
                header_params={**JSON, **headers},
                auth_settings=["BearerToken"],
            )
            # Without the body, each value of which it would copy.
            response = await self._client.call_api(*request[:3], body, _request_timeout=TIMEOUT_SECONDS)
            content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self._count(method, resource_of(path), NO_ANSWER)
            raise ApiError(0, f"{method} {path}: {error or type(error).__name__}") from error
        self._count(method, resource_of(path), str(response.status))
        if response.status >= 400:
            raise ApiError(response.status, _message(content))
        answer: Manifest = json.loads(content)
        return answer


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:500]
