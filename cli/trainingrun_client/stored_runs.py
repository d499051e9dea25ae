"""The results of a run, wherever it left them: in the object store of a cluster's run, or in a folder."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactName, ArtifactPaths
from trainingrun_api.base import Model
from trainingrun_api.names import REQUIRED_STORAGE_KEYS, STORAGE_KEYS
from trainingrun_api.resources import TrainingRun
from trainingrun_api.run_config import Storage
from trainingrun_api.status import Phase
from trainingrun_trainer.artifacts import Store, fetch_committed, is_committed, open_store
from trainingrun_trainer.credentials import StorageKeys
from trainingrun_trainer.errors import ObjectMissingError, StorageUnavailableError, TrainerError

from .answers import known
from .connection import Connection
from .errors import ClientError, UnreachableError
from .outputs import newest_output, storage_at

File = TypeVar("File", bound=Model)

REGION = "AWS_REGION"
"""Environment variable with the region of a bucket that no run names."""


@dataclass(frozen=True)
class StoredRun:
    """Where the results of a run are, or will be."""

    name: str
    """What messages call it."""
    prefix: str
    """URI of the folder that they are in, without a slash at the end."""
    store: Store
    phase: Phase | None = None
    """Of a run on a cluster."""

    def uri(self, file: ArtifactName) -> str:
        """Where one of its files is."""
        return ArtifactPaths(self.prefix).uri(file)

    def read(self, file: ArtifactName) -> bytes:
        """Content of a file. Raises ObjectMissingError, and ClientError when the store can't be read."""
        with _reached():
            return self.store.read(self.uri(file))

    def parsed(self, file: ArtifactName, kind: type[File]) -> File:
        """A file of JSON. Raises ClientError when it isn't there, or can't be read by this version."""
        try:
            return kind.model_validate_json(self.read(file), extra="ignore")
        except ObjectMissingError:
            raise ClientError(f"{self.name} has no {file}: {self.uri(file)} is not there") from None
        except ValidationError as error:
            raise ClientError(
                f"{self.uri(file)} can't be read by this version: {error.errors()[0]['msg']}"
            ) from error

    def download_model(self, folder: Path) -> None:
        """Copy the published model to a new `folder`, and only if it is what the run published.

        Raises ClientError when there is none, or something else; then there is no folder.
        """
        model = self.uri(ArtifactName.MODEL)
        with _reached(), TemporaryDirectory(dir=_parent(folder), prefix=".download-") as aside:
            fetched = Path(aside) / "model"
            if not is_committed(self.store, model):
                raise ClientError(f"{self.name} has no model yet: {model} is not committed")
            if not fetch_committed(self.store, model, fetched):
                raise ClientError(f"{model} is not what the run published: its checksums differ")
            fetched.rename(folder)


def _parent(folder: Path) -> Path:
    if folder.exists():
        raise ClientError(f"{folder} exists already; name another folder, or remove it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"{folder.parent}: {error.strerror}") from error
    return folder.parent


def stored_run(run: str, connect: Callable[[], Connection], endpoint: str | None) -> StoredRun:
    """A run by its name on the cluster, or the folder or URI of its output: what has a slash is one of these.

    `endpoint` is where the object store is reached from here, instead of where the run says. Raises
    ClientError when there is no such run, or it has not started.
    """
    if "://" in run:
        storage = storage_at(endpoint, os.environ.get(REGION))
        return StoredRun(run, run.rstrip("/"), _store(run, storage))
    if "/" in run or run in {".", ".."}:
        return _in_folder(Path(run))
    return _on_cluster(run, connect(), endpoint)


def _on_cluster(name: str, connection: Connection, endpoint: str | None) -> StoredRun:
    """Credentials are those in the environment, else those of the Secret that the run's output names."""
    run = connection.get(TrainingRun, name)
    started = run.status.started_with
    if started is None:
        raise ClientError(
            f"the run is {run.status.phase} and has no results yet; try again once it is training"
        )
    what = f"TrainingRun {connection.namespace}/{name}"
    place = known(Storage, started.config.get("storage"), f"status.startedWith of {what}")
    storage, keys = storage_at(endpoint or place.endpoint, place.region), None
    secret = started.secrets.storage
    if secret is not None and os.environ.keys().isdisjoint(REQUIRED_STORAGE_KEYS):
        storage = storage.model_copy(update={"credentials_secret": secret})
        keys = _keys_of(connection, secret)
    store = _store(started.output_prefix, storage, keys)
    return StoredRun(what, started.output_prefix, store, run.status.phase)


def _store(uri: str, storage: Storage, keys: StorageKeys | None = None) -> Store:
    try:
        return open_store(uri, storage, keys)
    except TrainerError as error:
        raise ClientError(str(error)) from error


def _in_folder(folder: Path) -> StoredRun:
    found = newest_output(folder)
    if found is None:
        raise ClientError(f"{folder}: no finished run is there; name the folder with its evaluation.json")
    prefix = found.resolve().as_uri()
    return StoredRun(str(folder), prefix, _store(prefix, Storage()))


def _keys_of(connection: Connection, secret: str) -> StorageKeys:
    what = f"Secret {connection.namespace}/{secret}"
    required, instead = REQUIRED_STORAGE_KEYS, f"set {' and '.join(REQUIRED_STORAGE_KEYS)} instead"
    try:
        found = connection.secret(secret)
        keys = [key for key in STORAGE_KEYS if key in required or key in found]
        return StorageKeys(*(found[key].decode() for key in keys))
    except UnreachableError:
        raise
    except ClientError as error:
        raise ClientError(f"{error}; {instead}") from error
    except (KeyError, UnicodeDecodeError) as error:
        raise ClientError(f"{what} lacks {' or '.join(required)} as text; {instead}") from error


@contextmanager
def _reached() -> Iterator[None]:
    """Raises ClientError for a store that refuses, UnreachableError for one that doesn't answer."""
    try:
        yield
    except ObjectMissingError:
        raise
    except TrainerError as error:
        kind = UnreachableError if isinstance(error, StorageUnavailableError) else ClientError
        raise kind(
            f"{error}; --endpoint or AWS_ENDPOINT_URL names the object store as it is reached from here"
        ) from error
