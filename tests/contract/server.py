"""The API server, as a user of it."""

import uuid
from typing import Any

from kubernetes import client, watch
from kubernetes.client import ApiClient
from kubernetes.dynamic import DynamicClient

from trainingrun_api.names import API_VERSION


def apply(
    cluster: DynamicClient, spec: dict[str, Any], name: str | None = None, kind: str = "TrainingRun"
) -> Any:
    resources = cluster.resources.get(api_version=API_VERSION, kind=kind)
    manifest = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name or f"run-{uuid.uuid4().hex[:8]}"},
        "spec": spec,
    }
    strict = [("fieldValidation", "Strict")]  # what kubectl apply asks for
    return resources.create(body=manifest, namespace="default", query_params=strict)


def wait_until_served(api_client: ApiClient, name: str) -> None:
    definitions = client.ApiextensionsV1Api(api_client)
    events = watch.Watch().stream(
        definitions.list_custom_resource_definition,
        field_selector=f"metadata.name={name}",
        timeout_seconds=120,
    )
    for event in events:
        if {"Established": "True"}.items() <= {
            c.type: c.status for c in event["object"].status.conditions or []
        }.items():
            return
    raise AssertionError(f"{name} was not established within 120 s")
