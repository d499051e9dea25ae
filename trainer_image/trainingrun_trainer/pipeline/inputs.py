"""Bring data set and base model onto this machine."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from trainingrun_api.run_config import BaseModelSource, Storage
from trainingrun_api.status import ResolvedBaseModel

from .. import artifacts, data, model
from ..errors import DataError, ModelError, ObjectMissingError
from ..records import SourceFile, files_sha256


@dataclass(frozen=True)
class BaseModelFolder:
    """A base model on this machine."""

    folder: Path
    resolved: ResolvedBaseModel


def fetch_dataset(uri: str, storage: Storage, folder: Path) -> list[SourceFile]:
    """Download the files of the data set, sorted by URI. Raises DataError when there are none."""
    store = artifacts.open_store(uri, storage)
    uris = _files_under(store, uri) if uri.endswith("/") else [uri]
    files = [
        SourceFile(file, folder / f"{number:05d}{PurePath(file).suffix}") for number, file in enumerate(uris)
    ]
    for file in files:
        try:
            store.download(file.uri, file.path)
        except ObjectMissingError:
            raise DataError(
                f"{file.uri}: there is no such file; correct spec.dataset.uri (a folder's URI ends in /)"
            ) from None
    return files


def dataset_sha256(files: list[SourceFile]) -> str:
    """Fingerprint of the data set: names and contents."""
    return files_sha256([(file.uri, file.path) for file in files])


def fetch_base_model(source: BaseModelSource, storage: Storage, folder: Path) -> BaseModelFolder:
    """Download the base model, or find the one that comes with the trainer. Raises ModelError."""
    if source.uri is None:
        folder = model.default_model_folder()
    else:
        _download_model(source.uri.rstrip("/"), storage, folder)
    return BaseModelFolder(
        folder,
        ResolvedBaseModel(
            source=source.uri or "Default",
            from_run=source.from_run,
            digest=files_sha256(model.model_files(folder)),
        ),
    )


def _files_under(store: artifacts.Store, uri: str) -> list[str]:
    found = store.files(uri)
    files = [file for file in found if file.lower().endswith(data.SUFFIXES)]
    if not files:
        others = f", only others such as {found[0]}" if found else ""
        raise DataError(
            f"{uri}: there are no {', '.join(data.SUFFIXES)} files{others}; correct spec.dataset.uri"
        )
    return files


def _download_model(uri: str, storage: Storage, folder: Path) -> None:
    store = artifacts.open_store(uri, storage)
    if artifacts.is_committed(store, uri):
        if not artifacts.fetch_committed(store, uri, folder):
            raise ModelError(f"{uri}: files differ from manifest.json; publish the model again")
        return
    files = [file for file in store.files(f"{uri}/") if file.endswith(model.MODEL_SUFFIXES)]
    if not files:
        raise ModelError(f"{uri}: there is no config.json; give the folder of a model in spec.baseModel.uri")
    for file in files:
        store.download(file, folder / file.removeprefix(f"{uri}/"))
