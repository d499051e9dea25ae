"""What a cluster is made of and where its files lie, kept beside them for the next command."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from localcluster.names import Addresses
from localcluster.s3 import S3Credentials

API_PORT, S3_PORT, REGISTRY_PORT = 6443, 7070, 5000
REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"
PAUSE_IMAGE = "localhost/pause:local"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True)
class Layout:
    """One cluster: its name, addresses and credentials, and its state folder."""

    state: Path
    name: str
    number: int
    s3: S3Credentials = field(default_factory=S3Credentials)

    @classmethod
    def load(cls, state: Path) -> Self | None:
        """The cluster whose files lie in `state`, or None."""
        file = state / "cluster.json"
        if not file.exists():
            return None
        found = json.loads(file.read_text())
        return cls(state, found["name"], found["number"], S3Credentials(**found["s3"]))

    def save(self) -> Self:
        """Make its folders and write it down."""
        for folder in (self.logs, self.data, self.config, self.kernel):
            folder.mkdir(parents=True, exist_ok=True)
        file = self.state / "cluster.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"name": self.name, "number": self.number, "s3": asdict(self.s3)}))
        return self

    @property
    def addresses(self) -> Addresses:
        """Its networks."""
        return Addresses(self.number)

    @property
    def logs(self) -> Path:
        """One file for each program."""
        return self.state / "logs"

    @property
    def data(self) -> Path:
        """What the node keeps under /var/lib."""
        return self.state / "data"

    @property
    def config(self) -> Path:
        """Configuration files of the programs."""
        return self.state / "config"

    @property
    def kernel(self) -> Path:
        """Stand-ins for kernel settings."""
        return self.state / "kernel"

    @property
    def pki(self) -> Path:
        """Certificates, keys and kubeconfigs."""
        return self.state / "pki"

    @property
    def kubeconfig(self) -> Path:
        """For a cluster administrator on the host."""
        return self.pki / "admin.kubeconfig"

    @property
    def supervisor_record(self) -> Path:
        """Says which process is the node's first."""
        return self.state / "supervisor.json"
