"""The report of a run on a cluster, fetched from its object store."""

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, ApiException, BatchV1Api, CoreV1Api, CustomObjectsApi

from trainingrun_api.names import GROUP, PROJECT_PLURAL, RUN_CONFIG_VARIABLE, RUN_PLURAL, VERSION
from trainingrun_api.references import Output
from trainingrun_api.run_config import RunConfig, Storage, effective_output
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec
from trainingrun_api.status import TrainingRunStatus
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import ObjectMissingError, TrainerError

from .connection import connect
from .errors import CommandError

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def fetch(name: str, namespace: str | None, output: Path | None, endpoint: str | None) -> Path:
    """Download report.html of run `name` into `output`; gives the file.

    Credentials are those in the environment, else those of the Secret that the run's output names.
    Raises CommandError when there is no such run or no report yet, or the store can't be reached.
    """
    client, namespace = connect(namespace)
    run = _get(client, namespace, RUN_PLURAL, name)
    status = TrainingRunStatus.model_validate(run.get("status", {}))
    place = _output(client, namespace, run)
    _use_credentials(client, namespace, place)
    storage = Storage(endpoint=endpoint or place.endpoint, region=place.region)
    uri = _uri(client, namespace, status)
    path = output or Path(tempfile.mkdtemp(prefix="trainingrun-")) / f"{name}.html"
    try:
        path.write_bytes(open_store(uri, storage).read(uri))
    except ObjectMissingError:
        raise CommandError(f"TrainingRun {namespace}/{name} has no report yet: {uri} is not there") from None
    except TrainerError as error:
        raise CommandError(
            f"{error}; --endpoint names the object store as it is reached from here"
        ) from error
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    return path.resolve()


def _uri(client: ApiClient, namespace: str, status: TrainingRunStatus) -> str:
    """Where the report is, or will be: as status says after the end, as the Job was told before."""
    if status.artifacts and status.artifacts.report:
        return status.artifacts.report
    if status.job_name is None:
        raise CommandError(f"the run is {status.phase} and has no report yet; try again when it trains")
    try:
        job: Any = BatchV1Api(client).read_namespaced_job(status.job_name, namespace)
    except ApiException as error:
        raise CommandError(f"Job {namespace}/{status.job_name}: {error.reason}") from error
    environment = job.spec.template.spec.containers[0].env
    value = next(variable.value for variable in environment if variable.name == RUN_CONFIG_VARIABLE)
    return f"{RunConfig.model_validate_json(value, extra='ignore').output_prefix}/report.html"


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
        raise CommandError("the run has no output, so it has no report")
    return output


def _use_credentials(client: ApiClient, namespace: str, output: Output) -> None:
    if output.credentials_secret_ref is None or CREDENTIALS[0] in os.environ:
        return
    name = output.credentials_secret_ref.name
    try:
        secret: Any = CoreV1Api(client).read_namespaced_secret(name, namespace)
    except ApiException as error:
        raise CommandError(
            f"Secret {namespace}/{name}: {error.reason}; set {' and '.join(CREDENTIALS)} instead"
        ) from error
    for key in CREDENTIALS:
        os.environ[key] = base64.b64decode(secret.data[key]).decode()


def _get(client: ApiClient, namespace: str, plural: str, name: str) -> dict[str, Any]:
    try:
        found: Any = CustomObjectsApi(client).get_namespaced_custom_object(
            GROUP, VERSION, namespace, plural, name
        )
    except ApiException as error:
        raise CommandError(f"{plural} {namespace}/{name}: {error.reason}") from error
    return dict(found)
