"""What the API server answers: resources, pods, lines of logs, and why it refuses."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from kubernetes.client import ApiException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from trainingrun_api.base import Model
from trainingrun_api.names import INDEX_ANNOTATION, TRAINER_CONTAINER
from trainingrun_api.problems import problems
from trainingrun_api.resources import TrainingProject, TrainingRun

from .errors import ClientError, UnreachableError

Known = TypeVar("Known", bound=Model)
Resource = TypeVar("Resource", TrainingRun, TrainingProject)

log = logging.getLogger(__name__)

UNANSWERED = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


@contextmanager
def asked_for(what: str) -> Iterator[None]:
    """Raises ClientError when the API server refuses it, UnreachableError when there is none."""
    try:
        yield
    except ApiException as error:
        kind = UnreachableError if error.status in UNANSWERED else ClientError
        raise kind(f"{what}: {why(error)}") from error
    except HTTPError as error:
        raise UnreachableError(f"{what}: the cluster can't be reached: {error}; see KUBECONFIG") from error


def known(model: type[Known], value: Any, what: str) -> Known:
    """The value without fields that only a newer operator knows.

    Raises ClientError, which says `what` it is of, for what this version can't read.
    """
    try:
        return model.model_validate(value, extra="ignore")
    except ValidationError as error:
        raise ClientError(
            f"{what} was written by another version of TrainingRun ({'; '.join(problems(error))}); "
            "use the trainingrun command that matches the cluster's operator"
        ) from error


def known_resource(kind: type[Resource], value: Any) -> Resource:
    """The resource as `known` gives it."""
    metadata = value.get("metadata", {})
    return known(kind, value, f"{kind_of(kind)} {metadata.get('namespace')}/{metadata.get('name')}")


def kind_of(resource: type[Model]) -> str:
    """What messages call its kind."""
    return resource.__name__


def readable(kind: type[Resource], values: Iterable[Any]) -> Iterator[Resource]:
    """Those that this version can read; the others are left out with a warning."""
    for value in values:
        try:
            yield known_resource(kind, value)
        except ClientError as error:
            log.warning("left out: %s", error)


class TrainerPod(NamedTuple):
    """One attempt of one node of a run."""

    name: str
    node: int
    started: bool
    """Whether its container has been started, and has a log."""
    ended: bool


def trainer_pod(pod: Any) -> TrainerPod:
    """A pod of a run."""
    container = next(
        (one for one in pod.status.container_statuses or [] if one.name == TRAINER_CONTAINER), None
    )
    running, terminated = (container.state.running, container.state.terminated) if container else (None, None)
    index = (pod.metadata.annotations or {}).get(INDEX_ANNOTATION, "0")
    return TrainerPod(
        pod.metadata.name,
        int(index),
        started=bool(running or terminated),
        ended=bool(terminated) or pod.status.phase in {"Succeeded", "Failed"},
    )


def lines(response: Any) -> Iterator[str]:
    """Lines of a response as they come in."""
    rest = b""
    for chunk in response.stream(None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def why(error: ApiException) -> str:
    """What the API server says, which is more than its reason but for what isn't there."""
    answer = _answer(error)
    if error.status != HTTPStatus.NOT_FOUND:
        return str(answer.get("message") or error.reason)
    match answer:
        case {"details": {"kind": "namespaces"}}:
            return str(answer["message"])
        case {"kind": "Status"}:
            return str(error.reason)
    return "the cluster doesn't know this kind of resource; install the operator of TrainingRun first"


def _answer(error: ApiException) -> dict[str, Any]:
    """A Status of Kubernetes; nothing where it is something else."""
    try:
        answer = json.loads(error.body or "")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
