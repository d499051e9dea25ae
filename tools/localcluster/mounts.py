"""The node's own view of the file system, made inside its mount namespace; the host's stays as it is."""

from pathlib import Path

from localcluster.errors import LocalClusterError
from localcluster.layout import Layout
from localcluster.process import execute

# What the kubelet would write to the kernel of the whole machine. It finds what it wants, and writes nothing.
KUBELET_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
OWN_FOLDERS = (Path("/var/lib"), Path("/run"), Path("/var/log"))


def check(*folders: Path) -> None:
    """See that none of `folders` would be hidden on the node.

    Raises:
        LocalClusterError: one would.
    """
    for folder in folders:
        if any(folder.resolve().is_relative_to(own) for own in OWN_FOLDERS):
            raise LocalClusterError(
                f"{folder} is hidden on the node; use a checkout and XDG_CACHE_HOME elsewhere"
            )


def mount_node(layout: Layout) -> None:
    """Give the processes of this namespace their own /proc, /run, /var/lib and /var/log."""
    # Shared among themselves, so that what the kubelet mounts is seen by containerd.
    execute("mount", "--make-rshared", "/")
    execute("mount", "-t", "proc", "proc", "/proc")
    execute("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name, target in (("lib", "/var/lib"), ("log", "/var/log")):
        source = layout.data / name
        source.mkdir(exist_ok=True)
        execute("mount", "--bind", str(source), target)
    for setting, value in KUBELET_SETTINGS.items():
        _cover_setting(layout, setting, value)


def _cover_setting(layout: Layout, setting: str, value: str) -> None:
    stand_in = layout.kernel / setting.replace("/", ".")
    stand_in.write_text(value)
    target = Path("/proc/sys") / setting
    if target.exists():
        execute("mount", "--bind", str(stand_in), str(target))
