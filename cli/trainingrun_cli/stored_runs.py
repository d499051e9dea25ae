"""The results of a run, wherever it left them: in the object store of a cluster's run, or in a folder."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api

from trainingrun_api.artifacts import ArtifactName, ArtifactPaths
from trainingrun_api.names import REQUIRED_STORAGE_KEYS, RUN_KIND, RUN_PLURAL, STORAGE_KEYS
from trainingrun_api.run_config import Storage
from trainingrun_api.status import Phase
from trainingrun_trainer.artifacts import Store, open_store
from trainingrun_trainer.credentials import StorageKeys
from trainingrun_trainer.errors import TrainerError

from .connection import asked_for, connect, known, read_resource, status_of
from .errors import CommandError
from .outputs import newest_output, storage_at

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
        """Content of a file. Raises ObjectMissingError, and CommandError when the store can't be read."""
        try:
            return self.store.read(self.uri(file))
        except TrainerError as error:
            raise CommandError(
                f"{error}; --endpoint or AWS_ENDPOINT_URL names the object store as it is reached from here"
            ) from error


def stored_run(run: str, namespace: str | None, endpoint: str | None) -> StoredRun:
    """A run by its name on the cluster, or the folder or URI of its output: what has a slash is one of these.

    Raises CommandError when there is no such run.
    """
    if "://" in run:
        storage = storage_at(endpoint, os.environ.get(REGION))
        return StoredRun(run, run.rstrip("/"), _store(run, storage))
    if "/" in run or run in {".", ".."}:
        return _in_folder(Path(run))
    return on_cluster(run, namespace, endpoint)


def on_cluster(name: str, namespace: str | None, endpoint: str | None) -> StoredRun:
    """Run `name` of the cluster; `endpoint` takes the place of the run's own.

    Credentials are those in the environment, else those of the Secret that the run's output names. Raises
    CommandError when there is no such run, or it has not started.
    """
    client, namespace = connect(namespace)
    what = f"{RUN_KIND} {namespace}/{name}"
    status = status_of(read_resource(client, RUN_PLURAL, RUN_KIND, namespace, name))
    if status.started_with is None:
        raise CommandError(f"the run is {status.phase} and has no results yet; try again once it is training")
    place = known(Storage, status.started_with.config.get("storage"), f"status.startedWith of {what}")
    storage, keys = storage_at(endpoint or place.endpoint, place.region), None
    secret = status.started_with.secrets.storage
    if secret is not None and os.environ.keys().isdisjoint(REQUIRED_STORAGE_KEYS):
        storage = storage.model_copy(update={"credentials_secret": secret})
        keys = _keys_of(client, namespace, secret)
    prefix = status.started_with.output_prefix
    return StoredRun(what, prefix, _store(prefix, storage, keys), status.phase)


def _store(uri: str, storage: Storage, keys: StorageKeys | None = None) -> Store:
    try:
        return open_store(uri, storage, keys)
    except TrainerError as error:
        raise CommandError(str(error)) from error


def _in_folder(folder: Path) -> StoredRun:
    found = newest_output(folder)
    if found is None:
        raise CommandError(f"{folder}: no finished run is there; name the folder with its evaluation.json")
    prefix = found.resolve().as_uri()
    return StoredRun(str(folder), prefix, _store(prefix, Storage()))


def _keys_of(client: ApiClient, namespace: str, secret: str) -> StorageKeys:
    required = REQUIRED_STORAGE_KEYS
    what, instead = f"Secret {namespace}/{secret}", f"set {' and '.join(required)} instead"
    try:
        with asked_for(what):
            found: Any = CoreV1Api(client).read_namespaced_secret(secret, namespace)
        keys = [key for key in STORAGE_KEYS if key in required or key in found.data]
        return StorageKeys(*(base64.b64decode(found.data[key]).decode() for key in keys))
    except CommandError as error:
        raise CommandError(f"{error}; {instead}") from error
    except (KeyError, TypeError, UnicodeDecodeError) as error:  # no such key, no data at all
        raise CommandError(f"{what} lacks {' or '.join(required)} as text; {instead}") from error
