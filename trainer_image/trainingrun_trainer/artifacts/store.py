"""What the trainer needs of an object store."""

import glob
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys
from ..errors import SettingsError
from .file_store import FileStore
from .s3_store import S3Store

WILDCARDS = "*?["
ENCODED = re.compile(r"(%[0-9A-Fa-f]{2})+")


class Store(Protocol):
    """Objects by URI. All methods raise StorageRefusedError or StorageUnavailableError."""

    def files(self, prefix: str) -> list[str]:
        """URIs of all objects under a prefix that ends in /, sorted."""

    def exists(self, uri: str) -> bool:
        """True when there is an object at the URI."""

    def read(self, uri: str) -> bytes:
        """Content of a small object; raises ObjectMissingError."""

    def write(self, uri: str, content: bytes, *, only_new: bool = False) -> None:
        """Write a small object; with only_new, one that is there raises AlreadyWrittenError."""

    def download(self, uri: str, path: Path) -> None:
        """Copy an object into a file, making folders as needed; raises ObjectMissingError."""

    def upload(self, path: Path, uri: str) -> None:
        """Copy a file to an object, replacing what is there."""

    def delete(self, uris: list[str]) -> None:
        """Delete objects; those that aren't there are no error."""


def open_store(uri: str, storage: Storage, keys: StorageKeys | None = None) -> Store:
    """The store that holds the URI, with these `keys`, else those that the environment has or names."""
    if uri.startswith("s3://"):
        return S3Store(storage, keys)
    if uri.startswith("file://"):
        return FileStore()
    raise SettingsError(f"{uri}: only s3:// and file:// URIs can be used")


def is_pattern(uri: str) -> bool:
    """True when there are wildcards in it; an object may be called so all the same."""
    return any(wildcard in uri for wildcard in WILDCARDS)


def matching(store: Store, pattern: str) -> list[str]:
    """URIs that match, sorted: no wildcard stands for a slash."""
    before = pattern[: min(pattern.find(wildcard) for wildcard in WILDCARDS if wildcard in pattern)]
    under = store.files(before[: before.rindex("/") + 1])
    wanted = _shell_pattern(pattern).split("/")
    return [file for file in under if _matches(_name(file).split("/"), wanted)]


def _matches(parts: list[str], patterns: list[str]) -> bool:
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _name(uri: str) -> str:
    """What the file is called: only file:// URIs are percent-encoded."""
    return unquote(uri) if uri.startswith("file://") else uri


def _shell_pattern(uri: str) -> str:
    """The pattern of names; what is percent-encoded stands for itself, even where it is a wildcard."""
    if not uri.startswith("file://"):
        return uri
    return ENCODED.sub(lambda found: glob.escape(unquote(found[0])), uri)
