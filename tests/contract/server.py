"""The API server, as a user of it."""

import uuid
from typing import Any

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
