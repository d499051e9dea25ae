"""The cached images: a folder of containerd for each cluster that runs, and the registry's for all."""

import fcntl
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from localcluster import buildah
from localcluster.cache import cache_folder
from localcluster.errors import LocalClusterError

MOST_CLUSTERS = 16


def registry_folder() -> Path:
    """Where pushed images lie; clusters can share it, since content is named by its digest."""
    return cache_folder() / "registry"


def claim() -> tuple[Path, IO[str]]:
    """The first containerd folder that no other cluster uses, ours as long as the given file is open.

    So a new checkout finds the images of one that is gone, in the first folder.
    """
    for number in range(MOST_CLUSTERS):
        folder = cache_folder() / "containerd" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        if (lock := _locked(folder)) is not None:
            return folder, lock
    raise LocalClusterError(f"{MOST_CLUSTERS} clusters run on this machine already; take one down")


def drop_idle() -> None:
    """Delete what clusters that are gone have left, but for the first folder, which the next one finds."""
    for folder in sorted((cache_folder() / "containerd").glob("*"))[1:]:
        if (lock := _locked(folder)) is None:
            continue
        with lock:
            for content in folder.iterdir():
                shutil.rmtree(content, ignore_errors=True)  # not the lock, a file, which another may wait for


def clear() -> None:
    """Delete all cached images.

    Raises:
        LocalClusterError: a cluster uses them.
    """
    folders = sorted((cache_folder() / "containerd").glob("*"))
    with ExitStack() as locks:
        for folder in folders:
            if (lock := _locked(folder)) is None:
                raise LocalClusterError("a cluster on this machine uses the images; take it down first")
            locks.enter_context(lock)
        for folder in (*folders, registry_folder(), buildah.storage_folder()):
            shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> IO[str] | None:
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
