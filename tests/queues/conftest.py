from collections.abc import Iterator

import pytest
from kubernetes.client import ApiClient

from localcluster import ControlPlane

from ..controller.cluster import Api
from ..controller.conftest import administrator, api, control_plane, kubectl, kubelet, operator
from .kueue import Kueue
from .team import Team

__all__ = ["api", "control_plane", "kubectl", "kubelet", "operator"]


@pytest.fixture(scope="session")
def kueue(control_plane: ControlPlane) -> Iterator[Kueue]:
    with Kueue(control_plane) as kueue:
        yield kueue


@pytest.fixture(scope="session")
def api_client(control_plane: ControlPlane, kueue: Kueue) -> Iterator[ApiClient]:
    """An administrator's client; Kueue is there before the operator."""
    yield from administrator(control_plane)


@pytest.fixture
def team(api: Api) -> Team:
    """A namespace with a queue in which there is room for one run at a time."""
    return Team(api)
