"""etcd, the API server and its controllers: how they are started, and how they are seen to be ready."""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Self
from urllib.request import urlopen

from localcluster import binaries
from localcluster.certificates import Authority, KeyFiles, signing_pair
from localcluster.process import Command, accepts

ISSUER = "https://kubernetes.default.svc"
API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ADMINISTRATORS = "system:masters"
NO_FLAGS: Mapping[str, str] = {}
# By default 20 requests a second, which a thousand Jobs take minutes of.
QUICK = {"kube-api-qps": "1000", "kube-api-burst": "2000"}


@dataclass(frozen=True)
class Ports:
    """Where the control plane listens."""

    etcd: int = 2379
    etcd_peer: int = 2380
    api: int = 6443


@dataclass(frozen=True)
class ApiAddresses:
    """Where the API server can be reached, and the range of addresses it gives to Services."""

    bind: str
    advertise: str
    services: str
    reconcile_endpoints: bool

    def url(self, ports: Ports) -> str:
        """Its address for clients."""
        return f"https://{self.advertise}:{ports.api}"


@dataclass(frozen=True)
class Credentials:
    """The control plane's certificates and kubeconfigs, all in one folder."""

    folder: Path

    @classmethod
    def issue(cls, authority: Authority, url: str, hosts: tuple[str, ...]) -> Self:
        """Make them for an API server at `url` that is also reached as `hosts`."""
        authority.server("apiserver", (*API_NAMES, *hosts))
        authority.client("apiserver-kubelet", "kube-apiserver", ADMINISTRATORS)
        signing_pair(authority.folder, "service-accounts")
        authority.kubeconfig(
            authority.folder / "admin.kubeconfig", url, authority.client("admin", "admin", ADMINISTRATORS)
        )
        for name in ("kube-controller-manager", "kube-scheduler"):
            client = authority.client(name, f"system:{name}")
            authority.kubeconfig(authority.folder / f"{name}.kubeconfig", url, client)
        return cls(authority.folder)

    def pair(self, name: str) -> KeyFiles:
        """The certificate `name` and its key."""
        return KeyFiles.at(self.folder, name)

    @property
    def token_key(self) -> KeyFiles:
        """What service account tokens are signed with; a bare public key in place of a certificate."""
        return KeyFiles(self.folder / "service-accounts.pub", self.folder / "service-accounts.key")

    def kubeconfig(self, name: str) -> Path:
        """The kubeconfig of `name`."""
        return self.folder / f"{name}.kubeconfig"


def etcd(data: Path, ports: Ports) -> Command:
    """The store, on loopback."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    flags = {
        "name": "local",
        "data-dir": str(data),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"local={peer}",
        "log-level": "warn",
        # What is in it doesn't outlive a crash of the machine, and needn't.
        "unsafe-no-fsync": "true",
    }
    return _command("etcd", flags, lambda: accepts("127.0.0.1", ports.etcd))


def api_server(
    credentials: Credentials, ports: Ports, addresses: ApiAddresses, further: Mapping[str, str] = NO_FLAGS
) -> Command:
    """The API server; ready when it says so. `further` flags win over those of here."""
    flags = {**_serving_flags(credentials, ports, addresses), **_identity_flags(credentials), **further}
    return _command("kube-apiserver", flags, lambda: answers(credentials, f"{addresses.url(ports)}/readyz"))


def _serving_flags(credentials: Credentials, ports: Ports, addresses: ApiAddresses) -> dict[str, str]:
    serving = credentials.pair("apiserver")
    return {
        "etcd-servers": f"http://127.0.0.1:{ports.etcd}",
        "bind-address": addresses.bind,
        "advertise-address": addresses.advertise,
        "secure-port": str(ports.api),
        "service-cluster-ip-range": addresses.services,
        # Endpoints on loopback are invalid, so a bare control plane has none for itself.
        "endpoint-reconciler-type": "lease" if addresses.reconcile_endpoints else "none",
        "tls-cert-file": str(serving.certificate),
        "tls-private-key-file": str(serving.key),
        "allow-privileged": "true",
    }


def _identity_flags(credentials: Credentials) -> dict[str, str]:
    kubelet = credentials.pair("apiserver-kubelet")
    return {
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "client-ca-file": str(credentials.pair("ca").certificate),
        "service-account-issuer": ISSUER,
        "service-account-key-file": str(credentials.token_key.certificate),
        "service-account-signing-key-file": str(credentials.token_key.key),
        "kubelet-client-certificate": str(kubelet.certificate),
        "kubelet-client-key": str(kubelet.key),
        "kubelet-preferred-address-types": "InternalIP",
    }


def controller_manager(credentials: Credentials) -> Command:
    """What gives Jobs their Pods and collects what has lost its owner."""
    authority, kubeconfig = credentials.pair("ca"), str(credentials.kubeconfig("kube-controller-manager"))
    flags = {
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        "secure-port": "0",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": str(credentials.token_key.key),
        "root-ca-file": str(authority.certificate),
        "cluster-signing-cert-file": str(authority.certificate),
        "cluster-signing-key-file": str(authority.key),
    }
    return _command("kube-controller-manager", flags | QUICK)


def scheduler(credentials: Credentials) -> Command:
    """What gives Pods their node."""
    flags = {
        "kubeconfig": str(credentials.kubeconfig("kube-scheduler")),
        "leader-elect": "false",
        "secure-port": "0",
    }
    return _command("kube-scheduler", flags | QUICK)


def _command(name: str, flags: dict[str, str], ready: Callable[[], bool] = lambda: True) -> Command:
    arguments = [f"--{flag}={value}" for flag, value in flags.items()]
    return Command(name, (str(binaries.path(name)), *arguments), ready)


def answers(credentials: Credentials, url: str) -> bool:
    """Whether the API server says 200 there."""
    admin = credentials.pair("admin")
    context = ssl.create_default_context(cafile=str(credentials.pair("ca").certificate))
    context.load_cert_chain(admin.certificate, admin.key)
    with suppress(OSError, HTTPException), urlopen(url, timeout=5, context=context) as response:  # noqa: S310
        return bool(response.status == HTTPStatus.OK)
    return False
