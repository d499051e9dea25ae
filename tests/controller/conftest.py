import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from helm import rendered
from kubernetes import client, config
from kubernetes.client import ApiClient
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane
from localcluster.control_plane import free_port
from trainingrun_api.crd import custom_resource_definitions

from .bench import Bench, a_bench
from .cluster import Api
from .kubectl import Kubectl
from .kubelet import Kubelet
from .manifests import Manifest
from .process import NAMESPACE, RELEASE, ROOT, OperatorProcess, decoded, kubeconfig_with_token, stopped

DEFINITIONS = custom_resource_definitions()
RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane(controllers=True) as control_plane:
        yield control_plane


def administrator(
    control_plane: ControlPlane, definitions: Iterable[Manifest] = tuple(DEFINITIONS.values())
) -> Iterator[ApiClient]:
    """A client that may do all, once the CRDs and the chart's rights are installed."""
    api_client = config.new_client_from_config(str(control_plane.kubeconfig))
    client.CoreV1Api(api_client).create_namespace({"metadata": {"name": NAMESPACE}})
    for manifest in [*definitions, *rights_of_the_chart()]:
        create_from_dict(api_client, manifest)
    yield api_client
    api_client.close()


@pytest.fixture(scope="session")
def api_client(control_plane: ControlPlane) -> Iterator[ApiClient]:
    yield from administrator(control_plane)


@pytest.fixture(scope="session")
def operator(
    control_plane: ControlPlane, api_client: ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    operator = a_replica(control_plane, api_client, tmp_path_factory.mktemp("operator"), "first")
    operator.start()
    secret = client.CoreV1Api(api_client).read_namespaced_secret(f"{RELEASE}-tls", NAMESPACE)
    operator.ca_certificate = decoded(secret.data["ca.crt"])
    yield operator
    assert operator.stop() == 0, operator.log_tail()


def a_replica(
    control_plane: ControlPlane, api_client: ApiClient, folder: Path, pod_name: str
) -> OperatorProcess:
    """The operator with a token and ports of its own; not started yet."""
    core = client.CoreV1Api(api_client)
    token = core.create_namespaced_service_account_token(RELEASE, NAMESPACE, {"spec": {}}).status.token
    kubeconfig = kubeconfig_with_token(control_plane.kubeconfig, token, folder / "kubeconfig")
    return OperatorProcess(kubeconfig, folder / "operator.log", free_port(), free_port(), pod_name=pod_name)


@pytest.fixture
def api(api_client: ApiClient, operator: OperatorProcess) -> Iterator[Api]:
    """A namespace of its own."""
    core, name = client.CoreV1Api(api_client), f"team-{uuid.uuid4().hex[:8]}"
    core.create_namespace(
        {"metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    )
    api = Api(api_client, name, operator)
    api.until(lambda: api.get("ServiceAccount", "default"), "the default service account")
    yield api
    core.delete_namespace(name)


@pytest.fixture(scope="module")
def bench(
    control_plane: ControlPlane,
    api_client: ApiClient,
    operator: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    """The only operator, behind a proxy in which faults can be planted, in a namespace of its own."""
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    folder = tmp_path_factory.mktemp(namespace)
    with stopped(operator), a_bench(control_plane, api_client, namespace, folder) as bench:
        yield bench


@pytest.fixture
def kubelet(api: Api) -> Kubelet:
    return Kubelet(api)


@pytest.fixture
def kubectl(control_plane: ControlPlane, api: Api) -> Kubectl:
    return Kubectl(control_plane.kubeconfig, api.namespace)


def rights_of_the_chart(*options: str) -> list[dict[str, object]]:
    """What the chart lets the operator do, as Helm renders it."""
    return [manifest for manifest in objects_of_the_chart(*options) if manifest["kind"] in RIGHTS]


def objects_of_the_chart(*options: str) -> list[dict[str, object]]:
    """All that Helm renders."""
    return rendered(RELEASE, ROOT / "charts" / "trainingrun-operator", "--namespace", NAMESPACE, *options)
