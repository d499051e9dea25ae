"""The fields of a resource's schema, and values at the edges of what each can have."""

import copy
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from trainingrun_api.crd import custom_resource_definitions

from .manifests import Manifest

EXAMPLES = {
    "uri": "s3://data/more.jsonl",
    "repoId": "team/one",
    "trackingUri": "https://mlflow.example.com",
    "endpoint": "https://s3.example.com",
    "mountPath": "/more",
    "gpuResourceName": "amd.com/gpu",
    "image": "example.com/mine:2",
    "cpu": "2",
    "memory": "8Gi",
}
"""By the field's name, where its pattern takes no plain word."""

TEXTS = ["", " ", "x", "é", "\n", "a\nb", "\u202e", "{{ x }}", "$(HOME)", "../..", "-", "null", "1e3", "🙂"]
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
FRACTIONS = [0.0, -0.0, 0.5, 1e-320, 1e308, -1e308]
OF_ANY_TYPE = st.sampled_from([None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"unknown": 1}])
KEY = "more"


class Field(NamedTuple):
    """A part of the spec; in its path 0 stands for an entry of a list, KEY for one of a map."""

    path: tuple[str | int, ...]
    schema: Manifest

    @property
    def name(self) -> str:
        return ".".join(map(str, self.path))


def spec_schema(plural: str) -> Manifest:
    """Of the spec of a resource."""
    (version,) = custom_resource_definitions()[plural]["spec"]["versions"]
    schema: Manifest = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def fields(schema: Manifest, path: tuple[str | int, ...] = ()) -> Iterator[Field]:
    """All fields below, parents first."""
    for part, inner in _parts(schema):
        yield Field((*path, part), inner)
        yield from fields(inner, (*path, part))


def _parts(schema: Manifest) -> Iterator[tuple[str | int, Manifest]]:
    yield from schema.get("properties", {}).items()
    if "items" in schema:
        yield 0, schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield KEY, schema["additionalProperties"]


def with_value(spec: Manifest, schema: Manifest, path: tuple[str | int, ...], value: Any) -> Manifest:
    """A copy of the spec with this value there; parents that it lacks get what they need at least."""
    spec = copy.deepcopy(spec)
    here: Any = spec
    for part in path[:-1]:
        schema = dict(_parts(schema))[part]
        if isinstance(here, list):
            here = here[0]
        elif part in here:
            here = here[part]
        else:
            here[part] = example(schema, str(part))
            here = here[part]
    here[path[-1]] = value
    return spec


def example(schema: Manifest, name: str) -> Any:
    """A value that is valid by itself, with as little as it can have."""
    if "enum" in schema:
        return schema["enum"][-1]
    match schema.get("type", "string"):
        case "object":
            return {one: example(schema["properties"][one], one) for one in schema.get("required", ())}
        case "array":
            return [example(schema["items"], name)]
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 0)
        case _:
            return _text(schema, name)


def _text(schema: Manifest, name: str) -> str:
    text = EXAMPLES.get(name, "x")
    return text if re.search(schema.get("pattern", ""), text) else schema["pattern"].strip("^$")


def edges(schema: Manifest, name: str) -> st.SearchStrategy[Any]:
    """Values at and beyond the bounds of its type, and of other types."""
    return st.one_of(_typed(schema, name), _typed(schema, name), OF_ANY_TYPE)


def _typed(schema: Manifest, name: str) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], schema["enum"][0].lower(), ""])
    match schema.get("type", "string"):
        case "object":
            return _objects(schema)
        case "array":
            return _lists(schema, name)
        case "boolean":
            return st.booleans()
        case "integer" | "number" as kind:
            fractions = [*_around(schema, 1e-9), *FRACTIONS] if kind == "number" else []
            return st.sampled_from([*_around(schema, 1), *NUMBERS, *fractions])
        case _:
            return _texts(schema)


def _around(schema: Manifest, step: float) -> list[Any]:
    bounds = [schema[bound] for bound in ("minimum", "maximum") if bound in schema]
    return [value for bound in bounds for value in (bound - step, bound, bound + step)]


def _texts(schema: Manifest) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength", 300)
    long = st.sampled_from([*TEXTS, "x" * longest, "x" * (longest + 1)])
    if "pattern" not in schema:
        return st.one_of(long, st.text(max_size=20))
    return st.one_of(long, st.from_regex(re.compile(schema["pattern"], re.ASCII)))


def _lists(schema: Manifest, name: str) -> st.SearchStrategy[list[Any]]:
    one, most = example(schema["items"], name), schema.get("maxItems", 100)
    return st.one_of(
        st.sampled_from([[], [one], [one] * 2, [one] * most, [one] * (most + 1)]),
        st.lists(edges(schema["items"], name), max_size=3),
    )


def _objects(schema: Manifest) -> st.SearchStrategy[Manifest]:
    if "properties" in schema:
        return st.just(example(schema, ""))
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        key = st.sampled_from(["x", "", "x" * 64, "x" * 300, "example.com/x", "a b", "é"])
        return st.dictionaries(key, edges(values, KEY), max_size=3)
    anything = st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5), _nested)
    return st.dictionaries(st.text(max_size=5), anything, max_size=3)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
