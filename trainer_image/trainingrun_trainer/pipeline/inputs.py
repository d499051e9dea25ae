"""Bring the base model onto this machine."""

from dataclasses import dataclass
from pathlib import Path

from trainingrun_api.run_config import BaseModelSource, Storage
from trainingrun_api.status import ResolvedBaseModel

from .. import artifacts, model
from ..errors import ModelError
from ..records import files_sha256


@dataclass(frozen=True)
class BaseModelFolder:
    """A base model on this machine."""

    folder: Path
    resolved: ResolvedBaseModel


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
