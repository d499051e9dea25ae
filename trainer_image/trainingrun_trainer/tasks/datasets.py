"""Bring data sets onto this machine."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trainingrun_api.dataset import DataSource
from trainingrun_api.run_config import Storage

from .. import artifacts, data
from ..data import FetchedSource
from ..errors import DataError, ObjectMissingError
from ..records import SourceFile, files_sha256

log = logging.getLogger(__name__)

DOWNLOADS_AT_ONCE = 8
"""Small files cost a round trip each; large ones come in parallel parts by themselves."""


def fetch_datasets(sources: Sequence[DataSource], storage: Storage, folder: Path) -> list[FetchedSource]:
    """Download all of them, each into a folder of its own. Raises DataError when one has no files."""
    return [fetch_dataset(source, storage, folder / str(number)) for number, source in enumerate(sources)]


def fetch_dataset(source: DataSource, storage: Storage, folder: Path) -> FetchedSource:
    """Download the files of the data set, sorted by URI. Raises DataError when there are none."""
    if source.hugging_face is not None:
        from ..data.hub import fetch_from_hub  # noqa: PLC0415 - see there

        return fetch_from_hub(source, source.hugging_face, folder)
    return _fetch(source, str(source.uri), storage, folder)


def _fetch(source: DataSource, place: str, storage: Storage, folder: Path) -> FetchedSource:
    store, setting = artifacts.open_store(place, storage), f"{source.setting}.uri"
    files = [SourceFile(uri, folder / f"{n:05d}") for n, uri in enumerate(_uris(store, place, setting))]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as downloads:
        list(downloads.map(lambda file: _download(store, file, setting), files))
    if len(files) > 1:
        log.info("%s: %d files, from %s to %s", place, len(files), files[0].uri, files[-1].uri)
    return FetchedSource(source, files)


def sources_sha256(sources: list[FetchedSource]) -> str:
    """Fingerprint of data sets: names and contents of their files, the commit for those of the Hub."""
    return files_sha256(
        [(file.uri, None if fetched.commit else file.path) for fetched in sources for file in fetched.files]
    )


def _uris(store: artifacts.Store, uri: str, setting: str) -> list[str]:
    if uri.endswith("/"):
        return _readable(uri, store.files(uri), setting)
    if artifacts.is_pattern(uri) and not store.exists(uri):
        return _readable(uri, artifacts.matching(store, uri), setting)
    return [uri]


def _readable(uri: str, found: list[str], setting: str) -> list[str]:
    files = [file for file in found if file.lower().endswith(data.SUFFIXES)]
    if not files:
        others = f", only others such as {found[0]}" if found else ""
        raise DataError(f"{uri}: there are no {', '.join(data.KINDS)} files{others}; correct {setting}")
    return files


def _download(store: artifacts.Store, file: SourceFile, setting: str) -> None:
    try:
        store.download(file.uri, file.path)
    except ObjectMissingError:
        raise DataError(
            f"{file.uri}: there is no such file; correct {setting} (a folder's URI ends in /)"
        ) from None
