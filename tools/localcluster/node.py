"""What runs on the node beside the control plane: how each program is configured and started."""

import json
from pathlib import Path

import yaml

from localcluster import binaries
from localcluster.image_store import registry_folder
from localcluster.layout import CONTAINERD_SOCKET, PAUSE_IMAGE, REGISTRY, REGISTRY_PORT, Layout
from localcluster.process import Command, accepts

CNI_PROGRAMS = "/usr/lib/cni"
# Two blocks, since within one a template answers before the names of the cluster are looked at.
COREFILE = """cluster.local in-addr.arpa {{
    bind {address}
    errors
    kubernetes {{
        kubeconfig {pki}/coredns.kubeconfig
        ttl 5
    }}
}}
. {{
    bind {address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def containerd(layout: Layout, images: Path) -> Command:
    """containerd with its images in `images`, which no other one may use at the same time."""
    config = layout.config / "containerd.toml"
    config.write_text(_containerd_config(layout, images))
    arguments = ("containerd", "--config", str(config))
    return Command("containerd", arguments, Path(CONTAINERD_SOCKET).exists)


def _containerd_config(layout: Layout, images: Path) -> str:
    return f"""version = 2
root = "{images}"
state = "/run/containerd"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    # The registry has the compressed layers already.
    discard_unpacked_layers = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{write_pod_network(layout)}"
"""


def write_pod_network(layout: Layout) -> Path:
    """A bridge that all Pods hang on; the host has a route to them, so nothing is masqueraded."""
    ranges = [[{"subnet": str(layout.addresses.networks[1])}]]
    ipam = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    folder = layout.config / "cni"
    folder.mkdir(exist_ok=True)
    content = {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
    (folder / "10-pods.conflist").write_text(json.dumps(content))
    return folder


def kubelet(layout: Layout) -> Command:
    """The kubelet; it finds the conventional paths, which the node's mounts lead into our folder."""
    nameservers = layout.config / "resolv.conf"
    nameservers.write_text(f"nameserver {layout.addresses.dns}\n")
    arguments = {
        "config": str(_written(layout, "kubelet.yaml", _kubelet_config(layout, nameservers))),
        "kubeconfig": str(layout.pki / "kubelet.kubeconfig"),
        "hostname-override": layout.name,
        "node-ip": str(layout.addresses.node),
    }
    return _go_command("kubelet", arguments)


def _kubelet_config(layout: Layout, nameservers: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"x509": {"clientCAFile": str(layout.pki / "ca.crt")}},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.name}",
        "clusterDNS": [str(layout.addresses.dns)],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "resolvConf": str(nameservers),
        # A developer's disk is often nearly full; that is no reason to delete images or evict Pods.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
    }


def kube_proxy(layout: Layout) -> Command:
    """Cluster addresses by nftables."""
    config: dict[str, object] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(layout.pki / "kube-proxy.kubeconfig")},
        "clusterCIDR": str(layout.addresses.networks[1]),
        "hostnameOverride": layout.name,
        # Zero leaves the kernel's settings, which belong to the host.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return _go_command("kube-proxy", {"config": str(_written(layout, "kube-proxy.yaml", config))})


def coredns(layout: Layout) -> Command:
    """Names of Services; a name outside the cluster doesn't exist, since no way leads there."""
    corefile = layout.config / "Corefile"
    corefile.write_text(COREFILE.format(address=layout.addresses.node, pki=layout.pki))
    arguments = (str(binaries.path("coredns")), "-conf", str(corefile))
    return Command("coredns", arguments, lambda: accepts(str(layout.addresses.node), 53))


def registry(layout: Layout) -> Command:
    """The image registry, on the node's loopback, where containerd speaks plain HTTP."""
    config = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(registry_folder())}, "delete": {"enabled": True}},
        "http": {"addr": REGISTRY},
    }
    file = _written(layout, "registry.yaml", config)
    arguments = (str(binaries.path("registry")), "serve", str(file))
    environment = {"OTEL_TRACES_EXPORTER": "none"}
    return Command("registry", arguments, lambda: accepts("127.0.0.1", REGISTRY_PORT), environment)


def _written(layout: Layout, name: str, content: dict[str, object]) -> Path:
    file = layout.config / name
    file.write_text(yaml.safe_dump(content))
    return file


def _go_command(name: str, flags: dict[str, str]) -> Command:
    return Command(name, (str(binaries.path(name)), *(f"--{flag}={value}" for flag, value in flags.items())))
