"""The real cert-manager beside a control plane: the definitions of its chart, and its controllers."""

import json
import os
from base64 import b64decode
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helm import rendered

from demo.kubernetes import Kubernetes
from localcluster import ControlPlane, binaries
from localcluster.control_plane import run
from localcluster.process import Command
from localcluster.servers import Servers

Manifest = dict[str, Any]

NAMESPACE = "cert-manager"
ISSUER = {"kind": "ClusterIssuer", "name": "company"}
SELF_SIGNED = {"kind": "ClusterIssuer", "name": "self-signed"}


class CertManager(Servers):
    """With an issuer that has an authority of its own; use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        super().__init__()
        self._kubeconfig = str(control_plane.kubeconfig)
        self._kubernetes = Kubernetes(os.environ | {"KUBECONFIG": self._kubeconfig})

    def issue(self, certificate: Manifest) -> None:
        """Ask for it, and wait until it is in its Secret."""
        self._kubernetes.apply([certificate])
        metadata = certificate["metadata"]
        self._kubernetes.kubectl(
            *("--namespace", metadata["namespace"], "wait", f"certificate/{metadata['name']}"),
            *("--for=condition=Ready", "--timeout=60s"),
        )

    def authority(self) -> str:
        """PEM of the certificate that all others are issued from."""
        where = ("--namespace", NAMESPACE, "get", "secret", ISSUER["name"])
        return b64decode(self._kubernetes.kubectl(*where, "--output=jsonpath={.data.tls\\.crt}")).decode()

    def renew(self, certificate: Manifest) -> None:
        """Have it issued anew, as `cmctl renew` does."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        issuing = {
            "type": "Issuing",
            "status": "True",
            "reason": "ManuallyTriggered",
            "lastTransitionTime": now,
        }
        patch = json.dumps({"status": {"conditions": [issuing]}})
        metadata = certificate["metadata"]
        self._kubernetes.kubectl(
            *("--namespace", metadata["namespace"], "patch", "certificate", metadata["name"]),
            *("--subresource=status", "--type=merge", "--patch", patch),
        )

    def _programs(self) -> tuple[str, ...]:
        return ("certmanager", "helm", "kubectl")

    def _start(self, stack: ExitStack, folder: Path) -> None:
        definitions = _definitions()
        self._kubernetes.apply([_object("v1", "Namespace", NAMESPACE), *definitions])
        names = [f"crd/{definition['metadata']['name']}" for definition in definitions]
        self._kubernetes.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
        self._kubernetes.apply(_authority())
        arguments = (str(binaries.path("certmanager")), f"--kubeconfig={self._kubeconfig}")
        run(stack, Command("certmanager", arguments, self._issues), folder)

    def _issues(self) -> bool:
        ready = "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        return self._kubernetes.kubectl("get", ISSUER["kind"], ISSUER["name"], ready) == "True"


def _definitions() -> list[Manifest]:
    objects = rendered("cert-manager", binaries.CERT_MANAGER.kept_chart, "--set", "crds.enabled=true")
    return [manifest for manifest in objects if manifest["kind"] == "CustomResourceDefinition"]


def _authority() -> list[Manifest]:
    """An authority that signs itself, and what issues from it."""
    name = ISSUER["name"]
    certificate = {
        "isCA": True,
        "commonName": name,
        "secretName": name,
        "privateKey": {"algorithm": "ECDSA", "size": 256},
        "issuerRef": SELF_SIGNED,
    }
    api = "cert-manager.io/v1"
    return [
        _object(api, SELF_SIGNED["kind"], SELF_SIGNED["name"]) | {"spec": {"selfSigned": {}}},
        _object(api, "Certificate", name, namespace=NAMESPACE) | {"spec": certificate},
        _object(api, ISSUER["kind"], name) | {"spec": {"ca": {"secretName": name}}},
    ]


def _object(api_version: str, kind: str, name: str, **metadata: str) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}
