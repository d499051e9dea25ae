"""What the local registry keeps on disk, as its filesystem driver lays it out."""

import shutil
from pathlib import Path

from localcluster import binaries
from localcluster.image_store import registry_folder
from localcluster.process import execute


def _tags(repository: str) -> Path:
    return registry_folder() / "docker/registry/v2/repositories" / repository / "_manifests/tags"


def has(repository: str, tag: str) -> bool:
    """Whether the image was pushed."""
    return (_tags(repository) / tag / "current" / "link").exists()


def remove_but(repository: str, kept: list[str], configuration: Path) -> None:
    """Remove all tags of `repository` but `kept`, and the layers that are then of no use.

    Nothing may be pushed meanwhile. `configuration` is the registry's.
    """
    stale = [folder for folder in sorted(_tags(repository).iterdir()) if folder.name not in kept]
    for folder in stale:
        shutil.rmtree(folder)
    if stale:
        registry = str(binaries.path("registry"))
        execute(registry, "garbage-collect", "--delete-untagged", "--quiet", str(configuration))
