"""The results of a run, wherever it left them: in the object store of a cluster's run, or in a folder."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, ApiException, BatchV1Api, CoreV1Api, CustomObjectsApi

from trainingrun_api.names import GROUP, PROJECT_PLURAL, RUN_CONFIG_VARIABLE, RUN_PLURAL, VERSION
from trainingrun_api.references import Output
from trainingrun_api.run_config import RunConfig, Storage, effective_output
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec
from trainingrun_api.status import Phase, TrainingRunStatus
from trainingrun_trainer.artifacts import Store, open_store
from trainingrun_trainer.errors import TrainerError

from .connection import connect
from .errors import CommandError
from .outputs import newest_output

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
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

    def uri(self, file: str) -> str:
        """Where one of its files is."""
        return f"{self.prefix}/{file}"

    def read(self, file: str) -> bytes:
        """Content of a file. Raises ObjectMissingError, and CommandError when the store can't be read."""
        try:
            return self.store.read(self.uri(file))
        except TrainerError as error:
            raise CommandError(
                f"{error}; --endpoint or AWS_ENDPOINT_URL names the object store as it is reached from here"
            ) from error


@contextmanager
def stored_run(run: str, namespace: str | None, endpoint: str | None) -> Iterator[StoredRun]:
    """A run by its name on the cluster, or the folder or URI of its output: what has a slash is one of these.

    Raises CommandError when there is no such run.
    """
    if "://" in run:
        storage = Storage(endpoint=endpoint, region=os.environ.get(REGION) or Storage().region)
        yield StoredRun(run, run.rstrip("/"), _store(run, storage))
    elif "/" in run or run in {".", ".."}:
        yield _in_folder(Path(run))
    else:
        with on_cluster(run, namespace, endpoint) as found:
            yield found


@contextmanager
def on_cluster(name: str, namespace: str | None, endpoint: str | None) -> Iterator[StoredRun]:
    """Run `name` of the cluster; `endpoint` takes the place of the run's own.

    Credentials are those in the environment, else those of the Secret that the run's output names, which are
    in the environment meanwhile. Raises CommandError when there is no such run, or nothing tells its output.
    """
    client, namespace = connect(namespace)
    run = _get(client, namespace, RUN_PLURAL, name)
    status = TrainingRunStatus.model_validate(run.get("status", {}), extra="ignore")
    place = _output(client, namespace, run)
    with _credentials(client, namespace, place):
        prefix = _prefix(client, namespace, status)
        store = _store(prefix, Storage(endpoint=endpoint or place.endpoint, region=place.region))
        yield StoredRun(f"TrainingRun {namespace}/{name}", prefix, store, status.phase)


def _store(uri: str, storage: Storage) -> Store:
    try:
        return open_store(uri, storage)
    except TrainerError as error:
        raise CommandError(str(error)) from error


def _in_folder(folder: Path) -> StoredRun:
    found = newest_output(folder)
    if found is None:
        raise CommandError(f"{folder}: no finished run is there; name the folder with its evaluation.json")
    prefix = found.resolve().as_uri()
    return StoredRun(str(folder), prefix, _store(prefix, Storage()))


def _prefix(client: ApiClient, namespace: str, status: TrainingRunStatus) -> str:
    """Where the results are, or will be: as status says after the end, as the Job was told before."""
    if status.artifacts:
        return status.artifacts.evaluation.rpartition("/")[0]
    if status.job_name is None:
        raise CommandError(f"the run is {status.phase} and has no results yet; try again when it trains")
    try:
        job: Any = BatchV1Api(client).read_namespaced_job(status.job_name, namespace)
    except ApiException as error:
        raise CommandError(f"Job {namespace}/{status.job_name}: {error.reason}") from error
    environment = job.spec.template.spec.containers[0].env
    value = next(variable.value for variable in environment if variable.name == RUN_CONFIG_VARIABLE)
    return RunConfig.model_validate_json(value, extra="ignore").output_prefix


def _output(client: ApiClient, namespace: str, run: dict[str, Any]) -> Output:
    spec = TrainingRunSpec.model_validate(run["spec"], extra="ignore")
    project = spec.dataset.project
    shared = (
        TrainingProjectSpec.model_validate(
            _get(client, namespace, PROJECT_PLURAL, project)["spec"], extra="ignore"
        )
        if project
        else None
    )
    output = effective_output(spec, shared)
    if output is None:
        raise CommandError("the run has no output, so it has no results")
    return output


@contextmanager
def _credentials(client: ApiClient, namespace: str, output: Output) -> Iterator[None]:
    if output.credentials_secret_ref is None or CREDENTIALS[0] in os.environ:
        yield
        return
    name = output.credentials_secret_ref.name
    try:
        secret: Any = CoreV1Api(client).read_namespaced_secret(name, namespace)
    except ApiException as error:
        raise CommandError(
            f"Secret {namespace}/{name}: {error.reason}; set {' and '.join(CREDENTIALS)} instead"
        ) from error
    os.environ.update({key: base64.b64decode(secret.data[key]).decode() for key in CREDENTIALS})
    try:
        yield
    finally:
        for key in CREDENTIALS:  # another run may have others
            del os.environ[key]


def _get(client: ApiClient, namespace: str, plural: str, name: str) -> dict[str, Any]:
    try:
        found: Any = CustomObjectsApi(client).get_namespaced_custom_object(
            GROUP, VERSION, namespace, plural, name
        )
    except ApiException as error:
        raise CommandError(f"{plural} {namespace}/{name}: {error.reason}") from error
    return dict(found)
