"""Unpack an archive with a model, and trust nothing that it says about where its files belong."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from .. import model
from ..errors import ModelError

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")

MAX_MEMBERS = 10_000
MAX_BYTES = 40 * 2**30
"""Unpacked; what fits into the trainer's work folder beside the archive itself."""

UNREADABLE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""What the libraries raise for damaged, encrypted and unknown archives; gzip's own is an OSError."""


@dataclass(frozen=True)
class Member:
    """An entry of an archive; `content` is None for folders."""

    name: str
    size: int
    is_link: bool
    content: Callable[[], IO[bytes] | None] | None


def is_archive(uri: str) -> bool:
    """True when the name is one of an archive."""
    return uri.lower().endswith(SUFFIXES)


def extract(archive: Path, folder: Path, uri: str, *, allow_pickled: bool) -> Path:
    """Unpack the files of a model into `folder` and give the folder that holds them.

    That is `folder`, or the one folder that all lie in. Raises ModelError for links, for names that lead out
    of the folder, and for more than MAX_BYTES or MAX_MEMBERS; `uri` is the archive's name in messages.
    """
    folder.mkdir(parents=True)
    try:
        _extract(archive, folder, uri, allow_pickled)
    except (*UNREADABLE, OSError) as error:
        raise ModelError(f"{uri}: the archive can't be unpacked ({error}); pack the model again") from None
    inner = [path for path in folder.iterdir() if path.is_dir()]
    only_a_folder = len(inner) == 1 and not any(path.is_file() for path in folder.iterdir())
    return inner[0] if only_a_folder else folder


def _extract(archive: Path, folder: Path, uri: str, allow_pickled: bool) -> None:
    unpacked = 0
    for number, member in enumerate(_members(archive), start=1):
        _require_harmless(member, uri)
        wanted = member.content is not None and model.is_model_file(member.name, allow_pickled=allow_pickled)
        unpacked += member.size if wanted else 0
        if number > MAX_MEMBERS or unpacked > MAX_BYTES:
            raise ModelError(
                f"{uri}: more than {MAX_MEMBERS} files or {MAX_BYTES >> 30} GiB; pack one model alone"
            )
        if wanted:
            _write(member, folder / member.name)


def _require_harmless(member: Member, uri: str) -> None:
    path = PurePosixPath(member.name)
    if member.is_link:
        raise ModelError(f"{uri}: {member.name} is a link or device; pack the files themselves")
    if path.is_absolute() or ".." in path.parts:
        raise ModelError(f"{uri}: {member.name} lies outside the archive's folder; pack relative paths")


def _write(member: Member, path: Path) -> None:
    content = member.content() if member.content else None
    if content is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _members(archive: Path) -> Iterator[Member]:
    return _zip_members(archive) if archive.name.lower().endswith(".zip") else _tar_members(archive)


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:*") as tar:
        for entry in tar:
            content = (lambda entry=entry: tar.extractfile(entry)) if entry.isfile() else None
            yield Member(entry.name, entry.size, not (entry.isfile() or entry.isdir()), content)


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            content = None if entry.is_dir() else (lambda entry=entry: packed.open(entry))
            mode = stat.S_IFMT(entry.external_attr >> 16)
            is_link = mode not in {0, stat.S_IFREG, stat.S_IFDIR}
            yield Member(entry.filename, entry.file_size, is_link, content)
