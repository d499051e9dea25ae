from collections.abc import Iterator

import pytest
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.dynamic import DynamicClient
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions

from .server import wait_until_served


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
