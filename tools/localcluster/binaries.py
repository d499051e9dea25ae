"""The Go programs, built once from pinned modules and kept in the user's cache."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localcluster.cache import cache_folder, locked
from localcluster.errors import LocalClusterError
from localcluster.process import execute
from localcluster.progress import say, step

MODULES = Path(__file__).resolve().parent.parent / "go"
KUBERNETES_VERSION = "1.37.2"
# Another checkout may pin other versions and use its programs still.
KEEP_UNUSED_SECONDS = 7 * 24 * 3600
BUILD_FLAGS = ("-trimpath", "-buildvcs=false")


@dataclass(frozen=True)
class Module:
    """A Go module of ours, with the linker flags its programs are built with."""

    name: str
    linker_flags: str = "-s -w"
    chart: tuple[str, str] | None = None
    """A module that it needs, and the folder of a Helm chart in there, which is kept beside the programs."""

    @property
    def source(self) -> Path:
        """Where its go.mod lies."""
        return MODULES / self.name

    @property
    def built(self) -> Path:
        """Its folder in the cache: another pin or flag is another folder."""
        digest = hashlib.sha256(" ".join((*BUILD_FLAGS, self.linker_flags)).encode())
        for file in sorted(self.source.iterdir()):
            digest.update(file.read_bytes())
        return cache_folder() / "bin" / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def kept_chart(self) -> Path:
        """Where the chart is, once a program is built."""
        return self.built / "chart"


def _kubernetes_stamp() -> str:
    """Without it the programs say they are v0.0.0, and the API server enables features by its version."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())


KUBERNETES = Module("kubernetes", f"-s -w {_kubernetes_stamp()}")
SERVICES = Module("services")
PAUSE = Module("pause")
KUEUE = Module("kueue", chart=("sigs.k8s.io/kueue", "charts/kueue"))
GITOPS = Module("gitops")
KWOK = Module("kwok")
CERT_MANAGER = Module(
    "certmanager", chart=("github.com/cert-manager/cert-manager", "deploy/charts/cert-manager")
)

PROGRAMS: dict[str, tuple[Module, str]] = {
    "etcd": (SERVICES, "go.etcd.io/etcd/server/v3"),
    "kubectl": (KUBERNETES, "k8s.io/kubernetes/cmd/kubectl"),
    "kube-apiserver": (KUBERNETES, "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": (KUBERNETES, "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": (KUBERNETES, "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kube-proxy": (KUBERNETES, "k8s.io/kubernetes/cmd/kube-proxy"),
    "kubelet": (KUBERNETES, "k8s.io/kubernetes/cmd/kubelet"),
    "versitygw": (SERVICES, "github.com/versity/versitygw/cmd/versitygw"),
    "registry": (SERVICES, "github.com/distribution/distribution/v3/cmd/registry"),
    "coredns": (SERVICES, "github.com/coredns/coredns"),
    "helm": (SERVICES, "helm.sh/helm/v4/cmd/helm"),
    "pause": (PAUSE, "."),
    "kueue": (KUEUE, "sigs.k8s.io/kueue/cmd/kueue"),
    "gitops": (GITOPS, "."),
    "kwok": (KWOK, "sigs.k8s.io/kwok/cmd/kwok"),
    "certmanager": (CERT_MANAGER, "."),
}
LOCAL_CLUSTER = tuple(
    name for name, (module, _) in PROGRAMS.items() if module in {KUBERNETES, SERVICES, PAUSE}
)
"""What the local cluster is made of; the others are only in tests and benchmarks."""


def path(name: str) -> Path:
    """Where the program is: in the folder that KUBEBUILDER_ASSETS names, else where it is once built.

    setup-envtest leaves kube-apiserver, etcd and kubectl in such a folder; others put there count as well.
    """
    return _provided(name) or PROGRAMS[name][0].built / name


def ensure(names: Iterable[str] = LOCAL_CLUSTER) -> None:
    """Build the programs that are missing; quick when none is.

    Raises:
        LocalClusterError: Go is missing, or a build failed.
    """
    wanted = [name for name in names if _provided(name) is None]
    _mark_used({PROGRAMS[name][0] for name in wanted})
    if all(path(name).exists() for name in wanted):
        return
    with locked("build"):
        missing = [name for name in wanted if not path(name).exists()]
        if missing:
            say(f"building {len(missing)} programs from source, once; minutes on a cold cache of Go's")
        for number, name in enumerate(missing, 1):
            with step(f"  {number} of {len(missing)}: {name}"):
                _build(name)
        _remove_unused()
        if all(path(name).exists() for name in LOCAL_CLUSTER):
            shutil.rmtree(_go_folder(), ignore_errors=True)


def _provided(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return None
    program = Path(assets).resolve() / name
    return program if program.exists() else None


def _go_folder() -> Path:
    """What Go keeps of its builds: several gigabytes that nothing needs once all programs are there."""
    return cache_folder() / "go"


def _build(name: str) -> None:
    module, package = PROGRAMS[name]
    target = path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    command = ["go", "build", *BUILD_FLAGS, f"-ldflags={module.linker_flags}", "-o", str(unfinished), package]
    if shutil.which("go") is None:
        raise LocalClusterError("Go is not installed; install Go 1.26 or newer and put it on PATH")
    environment = os.environ | _go_environment()
    execute(*command, folder=module.source, environment=environment)
    if module.chart is not None:
        name, folder = module.chart
        found = execute(
            "go", "list", "-m", "-f", "{{.Dir}}", name, folder=module.source, environment=environment
        )
        shutil.copytree(Path(found.strip()) / folder, module.kept_chart, dirs_exist_ok=True)
    unfinished.rename(target)


def _go_environment() -> dict[str, str]:
    return {
        "CGO_ENABLED": "0",
        "GOCACHE": str(_go_folder() / "builds"),
        "GOMODCACHE": str(_go_folder() / "modules"),
        "GOFLAGS": "-modcacherw",  # or removing the modules would take more than a remove
    }


def _mark_used(modules: set[Module]) -> None:
    for module in modules:
        module.built.mkdir(parents=True, exist_ok=True)
        os.utime(module.built)


def _remove_unused() -> None:
    for folder in (cache_folder() / "bin").iterdir():
        if time.time() - folder.stat().st_mtime > KEEP_UNUSED_SECONDS:
            shutil.rmtree(folder)
