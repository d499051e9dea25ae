"""Names of classes that a Parquet file holds as numbers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from .cells import CellError

METADATA = b"huggingface"
"""Where the library `datasets` describes the columns of a file, in JSON."""

LISTS = ("List", "LargeList", "Sequence")

NO_CLASS = -1
"""What `datasets` writes for a text without a label."""


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """The names by the path of their column; none where the file says nothing of it."""
    written = (schema.metadata or {}).get(METADATA, b"{}")
    try:
        match json.loads(written):
            case {"info": {"features": {**features}}}:
                return dict(_named(features, ""))
    except (ValueError, RecursionError):
        pass  # not written by `datasets`, so nothing is known
    return {}


def _named(features: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    for name, feature in features.items():
        match _element(feature):
            case {"_type": "ClassLabel", "names": [*names]}:
                yield f"{prefix}{name}", [str(one) for one in names]
            case {"_type": str()}:
                continue
            case {**inner}:
                yield from _named(inner, f"{prefix}{name}.")


def _element(feature: object) -> object:
    match feature:
        case {"_type": kind, "feature": inner} if kind in LISTS:
            return inner
        case [inner]:
            return inner
    return feature


def with_name(value: object, names: list[str]) -> object:
    """The name of the class, or of each class of a list. Raises CellError for a number that has none."""
    match value:
        case list():
            return [with_name(one, names) for one in value]
        case int() if value == NO_CLASS:
            return None
        case int() if 0 <= value < len(names):
            return names[value]
        case int():
            raise CellError(f"{value}, and its classes are 0 to {len(names) - 1}")
    return value
