"""Files of resources, read as kubectl and the API server read them, and checked by the contract."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from trainingrun_api.metadata import SERVERS
from trainingrun_api.names import API_VERSION, GROUP
from trainingrun_api.problems import problems
from trainingrun_api.resources import TrainingProject, TrainingRun

from .errors import ClientError

STANDARD_INPUT = Path("-")
"""In place of a file, as kubectl has it."""

Resource = TrainingRun | TrainingProject
KINDS: dict[str, type[Resource]] = {"TrainingRun": TrainingRun, "TrainingProject": TrainingProject}


class OtherResource(NamedTuple):
    """A resource of another API group, such as a run's ServiceAccount or queue."""

    api_version: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.api_version})"


@dataclass(frozen=True)
class Documents:
    """The resources of a file, in their order."""

    path: Path
    ours: list[tuple[Resource, dict[str, Any]]]
    """Runs and projects, each with what is written there, less what only a cluster says of it."""
    foreign: list[OtherResource]
    """Resources that matter only on a cluster, and are not ours to judge."""

    @property
    def runs(self) -> list[TrainingRun]:
        """The runs."""
        return [one for one, _ in self.ours if isinstance(one, TrainingRun)]

    @property
    def projects(self) -> list[TrainingProject]:
        """The projects."""
        return [one for one, _ in self.ours if isinstance(one, TrainingProject)]


def read_documents(path: Path) -> Documents:
    """The resources in a YAML file; those of this API group as the API server would take them.

    Raises ClientError, with every problem of each document, for what is no YAML in UTF-8 and for resources
    that the API server would refuse.
    """
    values = [value for value in _values(path) if value is not None]
    ours = [_resource(path, value) for value in values if not _is_foreign(value)]
    return Documents(path, ours, [_foreign(value) for value in values if _is_foreign(value)])


def validation_problems(place: str, error: ValidationError, field: str = "") -> str:
    """What is wrong at a place, one line for each field below `field`."""
    return "\n  ".join([f"{place}:", *problems(error, field)])


def _values(path: Path) -> list[Any]:
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
        return list(yaml.load_all(content.decode("utf-8-sig"), _Loader))
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ClientError(f"{path}, line {line}: not valid UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ClientError(
            f"{path} is not valid YAML: line {line}: {error.problem or error.context}"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ClientError(f"{path} is not valid YAML: {error}") from error


def _is_foreign(value: Any) -> bool:
    """Whether it is a resource with an API version, such as v1 or apps/v1, that isn't of this group."""
    version = value.get("apiVersion") if isinstance(value, dict) else None
    return isinstance(version, str) and bool(version) and version.split("/")[0] != GROUP


def _foreign(value: dict[str, Any]) -> OtherResource:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return OtherResource(value["apiVersion"], str(value.get("kind")), str(name))


def _resource(path: Path, value: Any) -> tuple[Resource, dict[str, Any]]:
    if not isinstance(value, dict) or value.get("apiVersion") != API_VERSION:
        raise ClientError(f"{path}: each document needs apiVersion: {API_VERSION}")
    kind = KINDS.get(str(value.get("kind")))
    if kind is None:
        raise ClientError(f"{path}: kind: {value.get('kind')!r} is none of {', '.join(KINDS)}")
    try:
        written = _without_nulls({key: one for key, one in value.items() if key != "status"})
        # JSON and strict, since the API server takes no text for a number either.
        read = kind.model_validate_json(json.dumps(written, allow_nan=False), strict=True)
    except ValidationError as error:
        raise ClientError(validation_problems(f"{path}, {value['kind']}", error)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ClientError(f"{path}: {error}; use only values that JSON has") from error
    for name in SERVERS:
        written["metadata"].pop(name, None)
    return read, written


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


class _Loader(yaml.SafeLoader):
    """What kubectl takes for a number is one, dates are text, and no key stands twice."""

    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(("timestamp", "float"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping as it is written, before others are merged into it."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key.value}", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return node

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """A whole number is one, as in the JSON that kubectl sends."""
        number = float(super().construct_yaml_float(node))
        return int(number) if number.is_integer() else number


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
