"""Where runs are measured: an API server with its controllers, and nodes that kwok simulates."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kubernetes import config
from kubernetes.client import CoreV1Api
from kubernetes.utils import create_from_dict

from localcluster import ControlPlane, binaries
from localcluster.control_plane import run
from localcluster.process import Command, Process, wait_until
from trainingrun_api.crd import custom_resource_definitions

STAGES = Path(__file__).with_name("stages")
NODES_ALONE, TRAINING = STAGES / "nodes.yaml", STAGES / "training.yaml"
NAMESPACE = "team"
NODES = 3
LEASE_SECONDS = 5
"""Of nodes; a kwok that takes over from another waits for so long."""
ROOM = {"cpu": "100k", "memory": "1Pi", "pods": "1M"}


class Stand:
    """A cluster with a namespace for runs; their pods get a node."""

    def __init__(self, kubeconfig: Path, stack: ExitStack, folder: Path) -> None:
        self.kubeconfig = kubeconfig
        self._stack = stack
        self._folder = folder
        self._nodes = self._simulated(NODES_ALONE)

    def let_pods_run(self) -> None:
        """From now on pods run until their trainers end them."""
        self._nodes.stop()
        self._nodes = self._simulated(NODES_ALONE, TRAINING)

    def _simulated(self, *stages: Path) -> Process:
        flags = (
            f"--kubeconfig={self.kubeconfig}",
            "--manage-all-nodes=true",
            f"--node-lease-duration-seconds={LEASE_SECONDS}",
            *(f"--config={stage}" for stage in stages),
        )
        return run(self._stack, Command("kwok", (str(binaries.path("kwok")), *flags)), self._folder)


@contextmanager
def a_stand() -> Iterator[Stand]:
    """An empty one."""
    binaries.ensure(["kwok"])
    with ControlPlane(controllers=True) as plane, TemporaryDirectory() as folder, ExitStack() as stack:
        with config.new_client_from_config(str(plane.kubeconfig)) as client:
            for definition in custom_resource_definitions().values():
                create_from_dict(client, definition)
            core = CoreV1Api(client)
            core.create_namespace({"metadata": {"name": NAMESPACE}})
            for number in range(NODES):
                core.create_node(_node(f"node-{number}"))
            wait_until(lambda: _has_account(core), "the namespace's service account")
        yield Stand(plane.kubeconfig, stack, Path(folder))


def _node(name: str) -> dict[str, object]:
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    status = {"allocatable": ROOM, "capacity": ROOM, "conditions": [ready]}
    return {"metadata": {"name": name}, "status": status}


def _has_account(core: CoreV1Api) -> bool:
    return any(
        one.metadata.name == "default" for one in core.list_namespaced_service_account(NAMESPACE).items
    )
