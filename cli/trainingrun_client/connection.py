"""The API server of a kubectl context: the only place that speaks to it."""

import base64
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from http import HTTPStatus
from typing import Any, Self

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api, CustomObjectsApi
from kubernetes.config import ConfigException
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from trainingrun_api.names import GROUP, RUN_LABEL, TRAINER_CONTAINER, VERSION
from trainingrun_api.resources import TrainingRun
from trainingrun_api.server_side_apply import CONTENT_TYPE, apply_patch

from .answers import (
    Resource,
    TrainerPod,
    asked_for,
    kind_of,
    known_resource,
    lines,
    readable,
    trainer_pod,
    why,
)
from .errors import ClientError

FIELD_MANAGER = "trainingrun"
"""Who the API server says has set a field."""

WRITTEN_AT = re.compile(r"\d{4}-\d\d-\d\dT\S+ ")
"""What each line of a log begins with."""

CONNECT_SECONDS = 5
"""A cluster that takes no connection within it is taken for away."""


class Connection:
    """Runs, projects and what belongs to them, of one namespace unless said otherwise.

    All methods raise ClientError for what the API server refuses or hasn't got, and UnreachableError.
    """

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    @classmethod
    def open(cls, namespace: str | None = None, context: str | None = None) -> Self:
        """With kubectl's configuration; what isn't given is the current context's."""
        file = os.environ.get("KUBECONFIG")  # given by hand, since the library reads it once, at its import
        configuration = Configuration()
        configuration.retries = False
        try:
            contexts, active = config.list_kube_config_contexts(file)
            if context is not None:
                active = _context(contexts, context)
            config.load_kube_config(file, context, configuration)
            return cls(_Client(configuration), namespace or active["context"].get("namespace", "default"))
        except ConfigException as error:
            cause = str(error).rstrip(".")
            raise ClientError(f"no cluster: {cause}; set KUBECONFIG or pick a kubectl context") from error
        except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
            # The last two since the library takes for granted that the file is of mappings.
            place = file or config.KUBE_CONFIG_DEFAULT_LOCATION
            raise ClientError(
                f"no cluster: {place} is not a valid kubeconfig: {error}; set KUBECONFIG"
            ) from error

    def get(self, kind: type[Resource], name: str) -> Resource:
        """One as it is now."""
        with asked_for(f"{kind_of(kind)} {self.namespace}/{name}"):
            found: Any = self._custom.get_namespaced_custom_object(
                GROUP, VERSION, self.namespace, kind.PLURAL, name
            )
        return known_resource(kind, found)

    def list(
        self, kind: type[Resource], names: Collection[str] | None = None, *, all_namespaces: bool = False
    ) -> tuple[Sequence[Resource], str]:
        """All of them, or those of these names, and the version from which to watch their changes.

        Of all, those that another version has written are left out with a warning.
        """
        where = "all namespaces" if all_namespaces else f"namespace {self.namespace}"
        with asked_for(f"{kind_of(kind)}s of {where}" if names is None else self._named(kind, names)):
            found: Any = (
                self._custom.list_cluster_custom_object(GROUP, VERSION, kind.PLURAL)
                if all_namespaces
                else self._custom.list_namespaced_custom_object(
                    GROUP, VERSION, self.namespace, kind.PLURAL, **_only(names)
                )
            )
        wanted = [item for item in found["items"] if _is_wanted(item, names)]
        known_ones = (
            readable(kind, wanted) if names is None else (known_resource(kind, one) for one in wanted)
        )
        return list(known_ones), found["metadata"]["resourceVersion"]

    def changes(self, names: Collection[str], since: str, seconds: int) -> Iterator[tuple[TrainingRun, bool]]:
        """The runs of these names as they are after each change, and whether they are gone.

        Ends after so many seconds, or when the connection is lost.
        """
        stream = Watch().stream(
            self._custom.list_namespaced_custom_object,
            GROUP,
            VERSION,
            self.namespace,
            TrainingRun.PLURAL,
            resource_version=since,
            timeout_seconds=seconds,
            **_only(names),
        )
        try:
            for event in stream:
                if _is_wanted(event["object"], names):
                    yield known_resource(TrainingRun, event["object"]), event["type"] == "DELETED"
        except HTTPError:
            return  # if the cluster can't be reached, the next request tells
        except ApiException as error:
            if error.status != HTTPStatus.GONE:
                what = self._named(TrainingRun, names)
                raise ClientError(f"{what} can't be watched: {why(error)}") from error

    def apply(self, kind: type[Resource], manifest: Mapping[str, Any], *, dry_run: bool = False) -> Resource:
        """Apply it on the server's side, or create it where the server completes its name."""
        metadata = manifest["metadata"]
        namespace, name = metadata.get("namespace", self.namespace), metadata.get("name")
        place = (GROUP, VERSION, namespace, kind.PLURAL)
        # Of an applied resource that is new, the library reads no content.
        options: dict[str, Any] = {
            "field_manager": FIELD_MANAGER,
            "field_validation": "Strict",
            "_preload_content": False,
        }
        if dry_run:
            options["dry_run"] = "All"
        with asked_for(f"{kind_of(kind)} {namespace}/{name or metadata['generateName']}"):
            answer: Any = (
                self._custom.create_namespaced_custom_object(*place, dict(manifest), **options)
                if name is None
                else self._custom.patch_namespaced_custom_object(
                    *place, name, dict(manifest), **options, _content_type=CONTENT_TYPE
                )
            )
        return known_resource(kind, json.loads(answer.data))

    def change(self, name: str, spec: Mapping[str, Any]) -> TrainingRun:
        """Set these fields of a run's spec."""
        with asked_for(f"TrainingRun {self.namespace}/{name}"):
            found: Any = self._custom.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                self.namespace,
                TrainingRun.PLURAL,
                name,
                {"spec": spec},
                field_manager=FIELD_MANAGER,
                field_validation="Strict",
            )
        return known_resource(TrainingRun, found)

    def pods(self, run: str) -> Sequence[TrainerPod]:
        """Pods of a run, the oldest first."""
        with asked_for(f"Pods of TrainingRun {self.namespace}/{run}"):
            found: Any = self._core.list_namespaced_pod(self.namespace, label_selector=f"{RUN_LABEL}={run}")
        pods = sorted(found.items, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))
        return [trainer_pod(pod) for pod in pods]

    def log(self, pod: str, *, follow: bool, since_seconds: int | None, tail: int | None) -> Iterator[str]:
        """Lines of its trainer's log, each after its time; while it runs, those to come too.

        Ends when the container ends, or when the connection is lost.
        """
        with asked_for(f"log of Pod {self.namespace}/{pod}"):
            response: Any = self._core.read_namespaced_pod_log(
                pod,
                self.namespace,
                container=TRAINER_CONTAINER,
                follow=follow,
                since_seconds=since_seconds,
                tail_lines=tail,
                timestamps=True,
                _preload_content=False,
            )
        with suppress(HTTPError), closing(response):
            # Of a container that is gone, the kubelet answers with words of its own, which have no time.
            yield from filter(WRITTEN_AT.match, lines(response))

    def secret(self, name: str) -> dict[str, bytes]:
        """What is in a Secret."""
        with asked_for(f"Secret {self.namespace}/{name}"):
            found: Any = self._core.read_namespaced_secret(name, self.namespace)
        return {key: base64.b64decode(value) for key, value in (found.data or {}).items()}

    def _named(self, kind: type[Resource], names: Collection[str]) -> str:
        return f"{kind_of(kind)} {self.namespace}/{', '.join(names)}"

    @property
    def _core(self) -> CoreV1Api:
        return CoreV1Api(self._client)

    @property
    def _custom(self) -> CustomObjectsApi:
        return CustomObjectsApi(self._client)


class _Client(ApiClient):
    """Gives up on a server that takes no connection, and applies what is YAML whatever is in it."""

    def call_api(
        self,
        method: str,
        url: str,
        header_params: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> Any:
        """The request, which may take as long as it likes once it is connected."""
        timeout = _request_timeout or (CONNECT_SECONDS, None)
        if header_params and header_params.get("Content-Type") == CONTENT_TYPE:
            body = apply_patch(body)
        return super().call_api(method, url, header_params, body, post_params, timeout)


def _only(names: Collection[str] | None) -> dict[str, Any]:
    """What asks for one alone; the API server can't be asked for several."""
    return {"field_selector": f"metadata.name={next(iter(names))}"} if names and len(names) == 1 else {}


def _is_wanted(item: Any, names: Collection[str] | None) -> bool:
    return names is None or item["metadata"]["name"] in names


def _context(contexts: Sequence[Any], name: str) -> Any:
    for context in contexts:
        if context["name"] == name:
            return context
    raise ConfigException(f"there is no context {name!r} in the kubeconfig")
