"""What the trainer needs of an object store."""

from pathlib import Path
from typing import Protocol

from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys
from ..errors import SettingsError
from .file_store import FileStore
from .s3_store import S3Store


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
