"""The control groups under which all Pods of a cluster run."""

from contextlib import suppress
from pathlib import Path

MOUNTED = Path("/sys/fs/cgroup")


def roots(mounted: Path = MOUNTED) -> list[Path]:
    """The hierarchies: one with version 2, one for each controller with version 1."""
    if (mounted / "cgroup.controllers").exists():
        return [mounted]
    return [folder for folder in sorted(mounted.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def create(name: str) -> None:
    """Make the group in each hierarchy; the kubelet wants it to be there."""
    for root in roots():
        group = root / name
        group.mkdir(exist_ok=True)
        for inherited in ("cpuset.cpus", "cpuset.mems"):
            # Version 1 starts them empty, and then nothing may run in the group.
            if (root / "cgroup.controllers").exists() or not (root / inherited).exists():
                continue
            (group / inherited).write_text((root / inherited).read_text())


def remove(name: str) -> bool:
    """Remove the groups; False while processes still end in one."""
    groups = [root / name for root in roots() if (root / name).exists()]
    for group in groups:
        for folder in sorted(group.rglob("*"), key=lambda path: len(path.parts), reverse=True):
            if folder.is_dir():
                _remove_folder(folder)
        _remove_folder(group)
    return not any(group.exists() for group in groups)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
