from collections.abc import Iterator

import pytest
from kubernetes import client, config, watch
from kubernetes.client import ApiClient
from kubernetes.dynamic import DynamicClient
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions


@pytest.fixture(scope="session")
def api_client() -> Iterator[ApiClient]:
    """A real API server that holds the custom resource definitions and nothing else."""
    with ControlPlane() as control_plane:
        api_client = config.new_client_from_config(str(control_plane.kubeconfig))
        for definition in custom_resource_definitions().values():
            create_from_dict(api_client, definition)
            wait_until_served(api_client, definition["metadata"]["name"])
        yield api_client
        api_client.close()


@pytest.fixture(scope="session")
def cluster(api_client: ApiClient) -> DynamicClient:
    return DynamicClient(api_client)


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
