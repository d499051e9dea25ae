"""The Debian packages that a node or a test needs: looked up, and only the missing ones installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from localcluster.cache import cache_folder, locked
from localcluster.errors import LocalClusterError
from localcluster.process import execute
from localcluster.progress import say, step

NODE_PACKAGES = (
    "buildah",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "iproute2",
    "mmdebstrap",
    "mount",
    "nftables",
    "runc",
    "util-linux",
)


def missing(names: tuple[str, ...] = NODE_PACKAGES) -> list[str]:
    """Those of `names` that are not installed."""
    return [name for name in names if not _installed(name)]


def ensure(names: tuple[str, ...] = NODE_PACKAGES) -> None:
    """Install what is missing.

    Raises:
        LocalClusterError: this is not Debian, we are not root, or apt failed.
    """
    if not missing(names):
        return
    with locked("packages"):  # apt-get fails where another one is at work
        _install(missing(names))


def unpacked(name: str) -> Path:
    """The files of a package, in the user's cache: for programs that are run once, not installed.

    Raises:
        LocalClusterError: this is not Debian, or apt failed.
    """
    folder = cache_folder() / "debian" / name
    with locked("packages"):
        if not folder.exists():
            _unpack(name, folder)
    return folder


def _unpack(name: str, folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    with step(f"fetching Debian package {name}"), tempfile.TemporaryDirectory(dir=folder.parent) as place:
        if os.geteuid() == 0:
            _apt_get("update")
        execute("apt-get", "download", name, folder=Path(place))
        (archive,) = Path(place).glob("*.deb")
        execute("dpkg-deb", "--extract", str(archive), f"{place}/files")
        Path(place, "files").rename(folder)


def _install(wanted: list[str]) -> None:
    if not wanted:
        return
    say(f"Debian packages to install: {' '.join(wanted)}")
    if os.geteuid() != 0:
        raise LocalClusterError(f"install them as root: apt-get install {' '.join(wanted)}")
    with step("installing Debian packages"):
        _apt_get("update")
        _apt_get("install", "-y", "--no-install-recommends", *wanted)


def _installed(name: str) -> bool:
    if shutil.which("dpkg-query") is None:
        raise LocalClusterError("the local cluster needs Debian or a system with dpkg")
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    # It fails for a name it has never heard of, which is also an answer.
    return subprocess.run(query, check=False, capture_output=True, text=True).stdout == "installed"


def _apt_get(*arguments: str) -> None:
    execute("apt-get", *arguments, environment=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
