"""A JSON Schema of manifests, for editors: completion, descriptions, and most of what is invalid."""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from .names import API_VERSION, PROJECT_KIND, RUN_KIND
from .resources import TrainingProject, TrainingRun

REFERENCE = "#/$defs/"


def manifest_schema() -> dict[str, Any]:
    """Of a TrainingRun or TrainingProject as a user writes it; rules across fields are the API server's."""
    _, schema = models_json_schema([(TrainingRun, "validation"), (TrainingProject, "validation")])
    definitions = {name: _without_extensions(one) for name, one in schema["$defs"].items()}
    del definitions[RUN_KIND]["properties"]["status"]
    kinds = (RUN_KIND, PROJECT_KIND)
    return {
        "title": "Manifest of a TrainingRun or TrainingProject",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {"apiVersion": {"const": API_VERSION}, "kind": {"enum": list(kinds)}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}}, "then": {"$ref": f"{REFERENCE}{kind}"}}
            for kind in kinds
        ],
        "$defs": {name: definitions[name] for name in sorted(_reachable(definitions, kinds))},
    }


def _without_extensions(value: Any) -> Any:
    """The schema without what only Kubernetes reads."""
    if isinstance(value, list):
        return [_without_extensions(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_extensions(one) for key, one in value.items() if not key.startswith("x-")}


def _reachable(definitions: dict[str, Any], names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(definitions[name]))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.removeprefix(REFERENCE)
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
