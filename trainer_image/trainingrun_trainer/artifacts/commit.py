"""Folders that count only when they are whole.

Objects first, then manifest.json with sizes and SHA-256, then COMMITTED with the digest of the manifest.
"""

import hashlib
import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from trainingrun_api.base import Model
from trainingrun_api.references import NO_WAY_UP

from ..errors import ObjectMissingError, StorageRefusedError, StorageUnavailableError
from ..records import file_sha256
from .store import Store

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
COMMITTED = "COMMITTED"


class FileEntry(Model):
    """One file of a folder."""

    path: Annotated[str, Field(pattern=r"^[^/]"), NO_WAY_UP]
    size: int
    sha256: str


class FileList(Model):
    """The files of a folder."""

    files: list[FileEntry]


def commit_folder(store: Store, folder: Path, uri: str) -> None:
    """Upload all files of a local folder to `uri` (no slash at the end) and commit them.

    What an interrupted attempt left there is deleted first.
    """
    discard(store, uri)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        store.upload(path, f"{uri}/{path.relative_to(folder).as_posix()}")
    manifest = FileList(files=[_entry(path, folder) for path in paths]).model_dump_json(indent=2).encode()
    store.write(f"{uri}/{MANIFEST}", manifest)
    store.write(f"{uri}/{COMMITTED}", hashlib.sha256(manifest).hexdigest().encode(), only_new=True)


def is_committed(store: Store, uri: str) -> bool:
    """True when the folder was written to its end."""
    return store.exists(f"{uri}/{COMMITTED}")


def fetch_committed(store: Store, uri: str, folder: Path) -> bool:
    """Download a committed folder; False when it is not committed or not what was committed."""
    try:
        content = store.read(f"{uri}/{MANIFEST}")
        if store.read(f"{uri}/{COMMITTED}").decode().strip() != hashlib.sha256(content).hexdigest():
            return False
        manifest = FileList.model_validate_json(content)
        for entry in manifest.files:
            store.download(f"{uri}/{entry.path}", folder / entry.path)
    except (ObjectMissingError, ValidationError, UnicodeDecodeError):
        return False
    return all(_entry(folder / entry.path, folder) == entry for entry in manifest.files)


def discard(store: Store, uri: str) -> None:
    """Delete a folder, COMMITTED first, so that what is left of it is never trusted.

    Raises StorageRefusedError or StorageUnavailableError while it is still trusted; of other files that stay
    the log tells.
    """
    files = store.files(f"{uri}/")
    store.delete([file for file in files if file == f"{uri}/{COMMITTED}"])
    try:
        store.delete([file for file in files if file != f"{uri}/{COMMITTED}"])
    except (StorageRefusedError, StorageUnavailableError) as error:
        log.warning("Unused files remain under %s: %s", uri, error)


def _entry(path: Path, folder: Path) -> FileEntry:
    return FileEntry(
        path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=file_sha256(path)
    )
