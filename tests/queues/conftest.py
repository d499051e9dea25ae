from collections.abc import Iterator

import pytest
from kubernetes import client, config
from kubernetes.client import ApiClient
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from trainingrun_api.crd import custom_resource_definitions

from ..controller.cluster import Api
from ..controller.conftest import api, control_plane, kubelet, operator, rights_of_the_chart
from ..controller.process import NAMESPACE
from .kueue import Kueue
from .team import Team

__all__ = ["api", "control_plane", "kubelet", "operator"]


@pytest.fixture(scope="session")
def kueue(control_plane: ControlPlane) -> Iterator[Kueue]:
    with Kueue(control_plane) as kueue:
        yield kueue


@pytest.fixture(scope="session")
def api_client(control_plane: ControlPlane, kueue: Kueue) -> Iterator[ApiClient]:
    """An administrator's client; Kueue is there before the operator."""
    api_client = config.new_client_from_config(str(control_plane.kubeconfig))
    client.CoreV1Api(api_client).create_namespace({"metadata": {"name": NAMESPACE}})
    for manifest in [*custom_resource_definitions().values(), *rights_of_the_chart()]:
        create_from_dict(api_client, manifest)
    yield api_client
    api_client.close()


@pytest.fixture
def team(api: Api) -> Team:
    """A namespace with a queue in which there is room for one run at a time."""
    return Team(api)
