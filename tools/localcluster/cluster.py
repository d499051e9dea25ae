"""The whole local cluster: bring it up, use it, take it down."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster import (
    api_server,
    binaries,
    cgroups,
    image_store,
    launch,
    manifests,
    mounts,
    names,
    node_images,
    packages,
    pause_image,
    registry_store,
)
from localcluster.cache import cache_folder, locked
from localcluster.errors import LocalClusterError
from localcluster.layout import API_PORT, PAUSE_IMAGE, REGISTRY, S3_PORT, Layout
from localcluster.process import accepts, execute, log_tail, wait_until
from localcluster.progress import step
from localcluster.pull import pull
from localcluster.s3 import REGION
from localcluster.supervisor import start_time

CHECKOUT = Path(__file__).resolve().parents[2]
GPUS = 2
DNS_PORT = 53
CONTAINERD_NAMESPACE = "k8s.io"


class LocalCluster:
    """The cluster of one checkout: one node, an S3 server and an image registry, in namespaces of their own.

    Everything but images and programs lies in `.local-cluster/` of the checkout and goes with `down`.
    """

    registry = REGISTRY
    """Where to push, from within the node's network (see `nsenter`), and what to name images in manifests."""
    region = REGION

    def __init__(self, checkout: Path = CHECKOUT) -> None:
        self.name = names.cluster_name(checkout)
        self.state = checkout / ".local-cluster"

    @property
    def layout(self) -> Layout:
        """What is known of the cluster.

        Raises:
            LocalClusterError: it is not up.
        """
        found = Layout.load(self.state)
        if found is None:
            raise LocalClusterError("the local cluster is not up; run `python -m localcluster up`")
        return found

    @property
    def kubeconfig(self) -> Path:
        """For a cluster administrator on this machine."""
        return self.layout.kubeconfig

    @property
    def s3_endpoint(self) -> str:
        """The object store's address, the same for Pods and for this machine."""
        return f"http://{self.layout.addresses.node}:{S3_PORT}"

    @property
    def environment(self) -> dict[str, str]:
        """What programs of this machine need to use the cluster."""
        folders = dict.fromkeys(str(binaries.path(name).parent) for name in ("kubectl", "helm"))
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "S3_ENDPOINT": self.s3_endpoint,
            "AWS_ENDPOINT_URL": self.s3_endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.layout.s3.access_key,
            "AWS_SECRET_ACCESS_KEY": self.layout.s3.secret_key,
            "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
        }

    @property
    def supervisor(self) -> int | None:
        """The pid, on the host, of the node's first process; None when it doesn't run."""
        record = self.state / "supervisor.json"
        if not record.exists():
            return None
        found = json.loads(record.read_text())
        pid: int = found["pid"]
        return pid if start_time(pid) == found["start_time"] else None

    @property
    def healthy(self) -> bool:
        """Whether it runs and its API server and node are ready."""
        if self.supervisor is None:
            return False
        with contextlib.suppress(LocalClusterError):
            return self._api_ready() and manifests.node_ready(self.layout)
        return False

    def nsenter(self, arguments: Sequence[str], *, mounts: bool = False) -> list[str]:
        """`arguments` as a command that runs in the node's network, with `mounts` also in its file system."""
        if self.supervisor is None:
            raise LocalClusterError("the local cluster doesn't run; run `python -m localcluster up`")
        namespaces = ["--net", *(["--mount"] if mounts else [])]
        return ["nsenter", f"--target={self.supervisor}", *namespaces, "--", *arguments]

    def pull(self, image: str) -> None:
        """Fetch `image` from the registry to the node now, so that no Pod has to wait for it."""
        with step(f"pulling {image}"):
            pull(self.kubeconfig, image)

    def drop_images(self) -> None:
        """Have the node forget images that the registry no longer has; what runs stays until it ends."""
        stale = node_images.stale(self._containerd("images", "list"), registry_store.has)
        if stale:
            self._containerd("images", "remove", "--sync", *stale)

    def up(self) -> None:
        """Bring the cluster up, or see that it is; a broken one is replaced.

        Raises:
            LocalClusterError: a step failed; says which and why.
        """
        with locked(self.name):
            if not self.healthy:
                self._prepare()
                self._down()
                self._start()
            self._finish()

    def down(self) -> None:
        """End all processes of the cluster and remove what it made; images and programs stay cached."""
        with locked(self.name):
            self._down()

    def clean(self) -> None:
        """As `down`, and delete the cached images of all checkouts.

        Raises:
            LocalClusterError: the cluster of another checkout uses them.
        """
        self.down()
        image_store.clear()

    def _prepare(self) -> None:
        mounts.check(self.state, cache_folder())
        if os.geteuid() != 0:
            raise LocalClusterError("the local cluster makes namespaces and mounts; run it as root")
        packages.ensure()
        binaries.ensure()

    def _start(self) -> None:
        with step("configuration and certificates"):
            layout = launch.new_layout(self.state, self.name).save()
            launch.issue_credentials(layout)
            cgroups.create(layout.name)
        with step("node: namespaces and the link to it"):
            launch.spawn(layout)
            wait_until(lambda: self.supervisor is not None, "the node", layout.logs / "supervisor.log", 60)
            launch.connect(layout, self.supervisor)
        with step("API server"):
            self._wait(self._api_ready, "kube-apiserver")

    def _finish(self) -> None:
        layout = self.layout
        with step("image of Pod sandboxes"):
            self._import_pause()
            self.drop_images()
        with step("node, DNS and GPUs"):
            manifests.apply_dns(layout)
            self._wait(lambda: manifests.node_ready(layout), "kubelet")
            self._wait(lambda: accepts(str(layout.addresses.node), DNS_PORT), "coredns")
            manifests.advertise_gpus(layout, GPUS)

    def _wait(self, condition: Callable[[], bool], name: str) -> None:
        """Wait until `condition` holds, or say why the program `name`, or the whole node, failed."""
        logs = self.state / "logs"
        wait_until(lambda: self.supervisor is None or condition(), name, logs / f"{name}.log")
        if self.supervisor is None:
            raise LocalClusterError(f"the node ended{log_tail(logs / 'supervisor.log')}")

    def _api_ready(self) -> bool:
        url = f"https://{self.layout.addresses.node}:{API_PORT}/readyz"
        return api_server.answers(api_server.Credentials(self.layout.pki), url)

    def _import_pause(self) -> None:
        if PAUSE_IMAGE in self._containerd("images", "list", "--quiet").splitlines():
            return
        archive = pause_image.write_archive(binaries.path("pause"), PAUSE_IMAGE, self.state / "pause.tar")
        self._containerd("images", "import", str(archive))

    def _containerd(self, *arguments: str) -> str:
        command = ["ctr", f"--namespace={CONTAINERD_NAMESPACE}", *arguments]
        return execute(*self.nsenter(command, mounts=True))

    def _down(self) -> None:
        if (pid := self.supervisor) is not None:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: start_time(pid) is None, "the node to end")
        host, _ = names.link_names(self.name)
        wait_until(lambda: not Path("/sys/class/net", host).exists(), f"the link {host} to go")
        wait_until(lambda: cgroups.remove(self.name), "the Pods' control groups to empty")
        shutil.rmtree(self.state, ignore_errors=True)
        image_store.drop_idle()
