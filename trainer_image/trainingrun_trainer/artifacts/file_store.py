"""Objects in a local folder, by file:// URIs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from ..errors import AlreadyWrittenError, ObjectMissingError, StorageRefusedError, StorageUnavailableError


class FileStore:
    """A Store over the file system; characters in URIs may be percent-encoded, as Path.as_uri() does."""

    def files(self, prefix: str) -> list[str]:
        with _translated(prefix):
            folder = _path(prefix)
            found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
            return sorted(prefix + quote(path.as_posix()) for path in found)

    def exists(self, uri: str) -> bool:
        with _translated(uri):
            return _path(uri).is_file()

    def read(self, uri: str) -> bytes:
        with _translated(uri):
            return _path(uri).read_bytes()

    def write(self, uri: str, content: bytes, *, only_new: bool = False) -> None:
        with _translated(uri), _new_file(_path(uri), only_new) as part:
            part.write_bytes(content)

    def download(self, uri: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(uri):
            shutil.copyfile(_path(uri), path)

    def upload(self, path: Path, uri: str) -> None:
        with _translated(uri), _new_file(_path(uri), only_new=False) as part:
            shutil.copyfile(path, part)

    def delete(self, uris: list[str]) -> None:
        for uri in uris:
            with _translated(uri):
                path = _path(uri)
                path.unlink(missing_ok=True)
            with suppress(OSError):  # a folder is an object store's only while it holds something
                path.parent.rmdir()


def _path(uri: str) -> Path:
    return Path(unquote(uri.removeprefix("file://")))


@contextmanager
def _new_file(path: Path, only_new: bool) -> Iterator[Path]:
    """Written beside its place and moved there when whole, so that nobody reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    yield part
    if only_new:
        path.hardlink_to(part)
        part.unlink()
    else:
        part.replace(path)


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ObjectMissingError(uri) from None
    except FileExistsError:
        raise AlreadyWrittenError(f"{uri}: another trainer wrote it in the meantime") from None
    except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
        raise StorageRefusedError(
            f"{uri}: {error.strerror}; correct the URI or the rights of the folder"
        ) from None
    except OSError as error:
        raise StorageUnavailableError(f"{uri}: {error.strerror}") from None
    except ValueError as error:  # a NUL character
        raise StorageRefusedError(f"{uri}: {error}; correct the URI") from None
