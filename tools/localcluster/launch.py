"""The host's part in starting a node: addresses, certificates, namespaces, and the link into them."""

import json
import os
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

from localcluster import api_server, manifests, names
from localcluster.certificates import Authority
from localcluster.layout import API_PORT, Layout
from localcluster.process import execute

PACKAGES = Path(__file__).resolve().parents[1]
# setsid detaches, so that the node outlives this command and its terminal.
DETACHED_NODE = (
    *("setsid", "--fork"),
    *("unshare", "--net", "--mount", "--propagation=private", "--ipc", "--pid", "--fork", "--kill-child"),
)


def new_layout(state: Path, name: str) -> Layout:
    """A cluster with new credentials and addresses to which this machine has no route yet."""
    routes = json.loads(execute("ip", "-json", "-4", "route", "show", "table", "all"))
    destinations = [route["dst"] for route in routes if route["dst"] not in ("default", "0.0.0.0/0")]
    taken = [IPv4Network(destination, strict=False) for destination in destinations]
    return Layout(state, name, names.Addresses.choose(name, taken).number)


def issue_credentials(layout: Layout) -> None:
    """Certificates and kubeconfigs of everything on the node."""
    authority, addresses = Authority(layout.pki), layout.addresses
    url = f"https://{addresses.node}:{API_PORT}"
    api_server.Credentials.issue(
        authority, url, ("127.0.0.1", str(addresses.node), str(addresses.kubernetes))
    )
    for name, user, group in (
        ("kubelet", f"system:node:{layout.name}", "system:nodes"),
        ("kube-proxy", "system:kube-proxy", None),
        ("coredns", manifests.DNS_USER, None),
    ):
        authority.kubeconfig(layout.pki / f"{name}.kubeconfig", url, authority.client(name, user, group))


def spawn(layout: Layout) -> None:
    """Start the node's first process in namespaces of its own."""
    with (layout.logs / "supervisor.log").open("ab") as output:
        subprocess.run(
            [*DETACHED_NODE, sys.executable, "-m", "localcluster.supervisor", str(layout.state)],
            env=os.environ | {"PYTHONPATH": str(PACKAGES)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )


def connect(layout: Layout, supervisor: int | None) -> None:
    """Lay the link to the node; the routes through it go with it when the node ends."""
    host, node = names.link_names(layout.name)
    addresses = layout.addresses
    execute("ip", "link", "add", host, "type", "veth", "peer", "name", node, "netns", str(supervisor))
    execute("ip", "address", "add", f"{addresses.host}/30", "dev", host)
    execute("ip", "link", "set", host, "up")
    for network in addresses.networks[1:]:
        execute("ip", "route", "add", str(network), "via", str(addresses.node))
