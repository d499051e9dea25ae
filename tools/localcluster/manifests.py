"""What the cluster holds from its start, and how it is given to the API server."""

import json
from pathlib import Path

from localcluster import binaries
from localcluster.layout import Layout
from localcluster.process import execute, wait_until

Manifest = dict[str, object]
DNS_LABELS = {"k8s-app": "kube-dns"}
DNS_PORTS = [{"name": f"dns-{name.lower()}", "port": 53, "protocol": name} for name in ("UDP", "TCP")]
DNS_USER = "system:coredns"
GPU_RESOURCE = "nvidia.com/gpu"


def kubectl(kubeconfig: Path, *arguments: str, standard_input: str | None = None) -> str:
    """Run kubectl as the cluster's administrator."""
    command = (str(binaries.path("kubectl")), "--kubeconfig", str(kubeconfig), *arguments)
    return execute(*command, standard_input=standard_input)


def apply_dns(layout: Layout) -> None:
    """Publish the CoreDNS that runs on the node as the cluster's DNS Service."""
    wait_until(lambda: _has_system_namespace(layout), "the namespace kube-system")
    objects = {"apiVersion": "v1", "kind": "List", "items": dns_objects(layout)}
    kubectl(layout.kubeconfig, "apply", "--server-side", "--filename=-", standard_input=json.dumps(objects))


def _has_system_namespace(layout: Layout) -> bool:
    return "kube-system" in kubectl(layout.kubeconfig, "get", "namespaces", "--output=name")


def dns_objects(layout: Layout) -> list[Manifest]:
    """A Service without selector, since a process of the node answers instead of Pods, and its rights."""
    labels = DNS_LABELS | {"kubernetes.io/service-name": "kube-dns"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": DNS_LABELS},
            "spec": {"clusterIP": str(layout.addresses.dns), "ports": DNS_PORTS},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [str(layout.addresses.node)]}],
            "ports": DNS_PORTS,
        },
        *_dns_rights(),
    ]


def _dns_rights() -> list[Manifest]:
    verbs = ["list", "watch"]
    core: Manifest = {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": verbs}
    discovery: Manifest = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs}
    api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": api,
            "kind": "ClusterRole",
            "metadata": {"name": DNS_USER},
            "rules": [core, discovery],
        },
        {
            "apiVersion": api,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": DNS_USER},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": DNS_USER},
            "subjects": [{"apiGroup": group, "kind": "User", "name": DNS_USER}],
        },
    ]


def advertise_gpus(layout: Layout, count: int) -> None:
    """Have the node offer GPUs that aren't there, so that GPU Jobs are scheduled as on a real cluster."""
    resources = {GPU_RESOURCE: str(count)}
    patch = json.dumps({"status": {"capacity": resources, "allocatable": resources}})
    kubectl(layout.kubeconfig, "patch", "node", layout.name, "--subresource=status", f"--patch={patch}")


def node_ready(layout: Layout) -> bool:
    """Whether the node takes Pods."""
    condition = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    return kubectl(layout.kubeconfig, "get", "nodes", f"--output=jsonpath={condition}") == "True"
