"""The real Kueue beside a control plane: its chart's objects, its controllers and webhooks."""

import base64
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml
from helm import rendered

from localcluster import ControlPlane, binaries
from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.process import Command
from localcluster.servers import Servers

from .certificates import certificates

Manifest = dict[str, Any]

NAMESPACE = "kueue-system"
SERVICE = f"kueue-webhook-service.{NAMESPACE}.svc"
CONFIG = "controller_manager_config.yaml"
IN_PODS = {"Deployment", "Service", "APIService"}
"""What makes sense where there are nodes only."""


class Kueue(Servers):
    """As its chart installs it, but for its pod: it runs on loopback, for Jobs alone."""

    def __init__(self, control_plane: ControlPlane) -> None:
        super().__init__()
        self._kubeconfig = control_plane.kubeconfig
        self._webhooks, self._health = free_port(), free_port()

    def _programs(self) -> tuple[str, ...]:
        return ("kueue", "helm", "kubectl")

    def _start(self, stack: ExitStack, folder: Path) -> None:
        objects = [manifest for manifest in _rendered() if manifest["kind"] not in IN_PODS]
        config = next(one["data"][CONFIG] for one in objects if CONFIG in one.get("data", {}))
        (folder / "config.yaml").write_text(yaml.safe_dump(self._config(yaml.safe_load(config), folder)))
        files = certificates(SERVICE, LOOPBACK)
        for name, content in files.items():
            (folder / name).write_bytes(content)  # as a kubelet mounts its Secret
        self._apply([_namespace(), *(self._reachable(one, files) for one in objects)])
        arguments = (
            str(binaries.path("kueue")),
            f"--config={folder / 'config.yaml'}",
            "--feature-gates=VisibilityOnDemand=false",
        )
        environment = {"KUBECONFIG": str(self._kubeconfig)}
        self.log = run(stack, Command("kueue", arguments, self._is_ready, environment), folder).log

    def _config(self, config: Manifest, folder: Path) -> Manifest:
        return config | {
            "namespace": NAMESPACE,
            "health": {"healthProbeBindAddress": f"{LOOPBACK}:{self._health}"},
            "metrics": {"bindAddress": "0"},
            "webhook": {"host": LOOPBACK, "port": self._webhooks, "certDir": str(folder)},
            "leaderElection": {"leaderElect": False},
            "integrations": {"frameworks": ["batch/job"]},
        }

    def _reachable(self, manifest: Manifest, files: dict[str, bytes]) -> Manifest:
        """The same, but with webhooks at an address instead of a Service."""
        if manifest["kind"] == "Secret":
            return manifest | {
                "data": {name: base64.b64encode(content).decode() for name, content in files.items()}
            }
        clients = [one["clientConfig"] for one in manifest.get("webhooks", ())]
        if conversion := manifest.get("spec", {}).get("conversion"):
            clients.append(conversion["webhook"]["clientConfig"])
        for client in clients:
            client["url"] = f"https://{LOOPBACK}:{self._webhooks}{client.pop('service')['path']}"
        return manifest

    def _apply(self, manifests: list[Manifest]) -> None:
        command = [
            binaries.path("kubectl"),
            "--kubeconfig",
            self._kubeconfig,
            "apply",
            "--server-side",
            "-f-",
        ]
        text = yaml.safe_dump_all(manifests)
        subprocess.run(command, input=text, check=True, capture_output=True, text=True)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://{LOOPBACK}:{self._health}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def _rendered() -> list[Manifest]:
    return rendered("kueue", binaries.KUEUE.kept_chart, "--namespace", NAMESPACE)


def _namespace() -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
