"""etcd and the API server alone, for tests that need no node."""

import secrets
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from localcluster import api_server
from localcluster.certificates import Authority
from localcluster.process import Command, Process
from localcluster.servers import Servers

LOOPBACK = "127.0.0.1"
SERVICES = "10.0.0.0/24"
# Below those the kernel takes for outgoing connections, so that none takes ours meanwhile.
PORT_RANGE = range(15000, 32000)


class ControlPlane(Servers):
    """A Kubernetes API on loopback with an empty store; use it as a context manager.

    Without a kubelet Pods never run. With `controllers`, Jobs get Pods, and what has lost its owner is
    collected. Several can run side by side. Its processes end when the thread that entered it ends.
    """

    kubeconfig: Path
    """For a cluster administrator."""
    url: str
    processes: dict[str, Process]
    """By the names of their programs."""

    def __init__(self, *, controllers: bool = False, flags: Mapping[str, str] | None = None) -> None:
        """Take `flags` of the API server in addition to its usual ones."""
        super().__init__()
        self._controllers = controllers
        self._flags = dict(flags or {})

    def _programs(self) -> tuple[str, ...]:
        return ("etcd", "kube-apiserver", *self._controller_names())

    def _start(self, stack: ExitStack, folder: Path) -> None:
        ports = api_server.Ports(*(free_port() for _ in range(3)))
        addresses = api_server.ApiAddresses(LOOPBACK, LOOPBACK, SERVICES, reconcile_endpoints=False)
        self.url = addresses.url(ports)
        credentials = api_server.Credentials.issue(
            Authority(folder / "pki"), self.url, (LOOPBACK, "localhost")
        )
        self.kubeconfig = credentials.kubeconfig("admin")
        commands = (
            api_server.etcd(folder / "etcd", ports),
            api_server.api_server(credentials, ports, addresses, self._flags),
            *self._controller_commands(credentials),
        )
        self.processes = {command.name: run(stack, command, folder) for command in commands}

    def _controller_names(self) -> tuple[str, ...]:
        return ("kube-controller-manager", "kube-scheduler") if self._controllers else ()

    def _controller_commands(self, credentials: api_server.Credentials) -> tuple[Command, ...]:
        if not self._controllers:
            return ()
        return (api_server.controller_manager(credentials), api_server.scheduler(credentials))


def run(stack: ExitStack, command: Command, logs: Path) -> Process:
    """Start `command`, wait until it is ready, and have `stack` end it."""
    process = Process(command, logs)
    stack.callback(process.stop)
    return process.wait_ready()


def free_port() -> int:
    """A port on loopback on which nothing listens."""
    while True:
        # Not by `random`: training seeds it, and two processes with one seed would take the same ports.
        port = secrets.choice(PORT_RANGE)
        with suppress(OSError), socket.socket() as candidate:
            candidate.bind((LOOPBACK, port))
            return port
