"""The cluster of the current kubectl context."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, ApiException, CustomObjectsApi
from kubernetes.config import ConfigException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from trainingrun_api.base import Model
from trainingrun_api.names import GROUP, RUN_KIND, VERSION
from trainingrun_api.problems import problems
from trainingrun_api.status import TrainingRunStatus

from .errors import CommandError

Known = TypeVar("Known", bound=Model)


def connect(namespace: str | None) -> tuple[ApiClient, str]:
    """A client, and the namespace: the one given, else the context's. Raises CommandError for no cluster."""
    file = os.environ.get("KUBECONFIG")  # given by hand, since the library reads it once, at its import
    try:
        _, active = config.list_kube_config_contexts(file)
        return config.new_client_from_config(file), namespace or active["context"].get("namespace", "default")
    except ConfigException as error:
        raise CommandError(f"no cluster: {error}; set KUBECONFIG or pick a kubectl context") from error
    except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        # The last two since the library takes for granted that the file is of mappings.
        place = file or config.KUBE_CONFIG_DEFAULT_LOCATION
        raise CommandError(
            f"no cluster: {place} is not a valid kubeconfig: {error}; set KUBECONFIG"
        ) from error


@contextmanager
def asked_for(what: str) -> Iterator[None]:
    """Raises CommandError when the API server refuses it, or can't be reached."""
    try:
        yield
    except ApiException as error:
        raise CommandError(f"{what}: {error.reason}") from error
    except HTTPError as error:
        raise CommandError(f"{what}: the cluster can't be reached: {error}; see KUBECONFIG") from error


def read_resource(client: ApiClient, plural: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    """A run or project as it is now. Raises CommandError when there is none, or none can be asked for."""
    with asked_for(f"{kind} {namespace}/{name}"):
        found: Any = CustomObjectsApi(client).get_namespaced_custom_object(
            GROUP, VERSION, namespace, plural, name
        )
    return dict(found)


def known(model: type[Known], value: Any, what: str) -> Known:
    """The value without fields that only a newer operator knows.

    Raises CommandError, which says `what` it is of, for what this version can't read.
    """
    try:
        return model.model_validate(value, extra="ignore")
    except ValidationError as error:
        raise CommandError(
            f"{what} was written by another version of TrainingRun ({'; '.join(problems(error))}); "
            "use the trainingrun command that matches the cluster's operator"
        ) from error


def status_of(run: dict[str, Any]) -> TrainingRunStatus:
    """What became of the run. Raises CommandError as `known` does."""
    metadata = run.get("metadata", {})
    what = f"status of {RUN_KIND} {metadata.get('namespace')}/{metadata.get('name')}"
    return known(TrainingRunStatus, run.get("status", {}), what)
