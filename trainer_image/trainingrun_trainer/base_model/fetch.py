"""Find the base model and copy it into a local folder."""

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import BaseModelSource, Storage

from .. import artifacts, model
from ..errors import ModelError, ObjectMissingError, TrainerError
from ..records import files_sha256
from .archive import extract, is_archive
from .hub import download

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BaseModelFolder:
    """A base model on this machine."""

    folder: Path
    resolved: ResolvedBaseModel
    earlier: Evaluation | None = None
    """The evaluation of the run that made it."""


def fetch_base_model(source: BaseModelSource, storage: Storage, work: Path) -> BaseModelFolder:
    """Download the base model below `work`, or find the one that comes with the trainer.

    Raises ModelError when it isn't there or isn't one, StorageUnavailableError for what may pass.
    """
    described, revision = source.described(), None
    if source.hub is not None:
        folder = work / "hub"
        revision = download(source.hub, folder, allow_pickled=source.allow_pickled)
    elif source.uri is not None:
        folder = _from_storage(source, storage, work)
    else:
        folder = model.default_model_folder()
    digest = files_sha256(model.model_files(folder, allow_pickled=source.allow_pickled))
    resolved = described.model_copy(update={"revision": revision, "digest": digest})
    return BaseModelFolder(folder, resolved, earlier_evaluation(source, storage))


def _from_storage(source: BaseModelSource, storage: Storage, work: Path) -> Path:
    shown, folder = str(source.uri).rstrip("/"), work / "folder"
    uri = _on_this_machine(source, shown) if shown.startswith("pvc://") else shown
    store = artifacts.open_store(uri, storage)
    if is_archive(uri):
        packed = work / PurePosixPath(uri).name
        try:
            store.download(uri, packed)
        except ObjectMissingError:
            raise ModelError(f"{shown}: there is no such file; correct spec.baseModel.uri") from None
        return extract(packed, folder, shown, allow_pickled=source.allow_pickled)
    if artifacts.is_committed(store, uri):
        if not artifacts.fetch_committed(store, uri, folder):
            raise ModelError(f"{shown}: files differ from manifest.json; publish the model again")
        return folder
    names = [file.removeprefix(f"{uri}/") for file in store.files(f"{uri}/")]
    wanted = model.wanted_files(names, allow_pickled=source.allow_pickled)
    if not wanted:
        raise ModelError(f"{shown}: there is no config.json; give a model's folder in spec.baseModel.uri")
    for name in wanted:
        store.download(f"{uri}/{name}", folder / name)
    return folder


def _on_this_machine(source: BaseModelSource, uri: str) -> str:
    path = PurePosixPath(urlsplit(uri).path.strip("/"))
    if source.mount_path is None or ".." in path.parts:
        raise ModelError(f"{uri}: no volume is mounted for it; name a path on the volume, without '..'")
    return Path(source.mount_path, path).as_uri()


def earlier_evaluation(source: BaseModelSource, storage: Storage) -> Evaluation | None:
    """The evaluation.json beside the model of the earlier run; None for a base model that no run made.

    None too, with a warning, when it can't be read: the model can be gone on from all the same.
    """
    if source.from_run is None or source.uri is None:
        return None
    uri = ArtifactPaths.beside(source.uri).evaluation
    try:
        content = artifacts.open_store(uri, storage).read(uri)
        # A newer trainer may have written more.
        return Evaluation.model_validate_json(content, extra="ignore")
    except (ObjectMissingError, TrainerError, ValidationError) as error:
        log.warning(
            "The scores of run %s are left out, since %s can't be read: %s", source.from_run, uri, error
        )
        return None
