"""Values of one row."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import DataError
from .rows import Row

LISTED = 20


def value_of(row: Row, field: str) -> Any:
    """The value of a column of this name, or else of a dotted path into objects; None where there is none."""
    if field in row.values:
        return row.values[field]
    value: Any = row.values
    for part in field.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def has_field(row: Row, field: str) -> bool:
    """True when the row has the column or path, be it empty."""
    if field in row.values:
        return True
    parent, dot, last = field.rpartition(".")
    holder = value_of(row, parent) if dot else None
    return isinstance(holder, dict) and last in holder


def paths(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Names of all fields, those inside objects as dotted paths."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def text_of(row: Row, field: str, setting: str = "textField") -> str:
    """The text, "" where it is empty. Raises DataError when the row has no such field, or no text in it.

    `setting` is the field of spec.dataset that names it, for messages.
    """
    value = value_of(row, field)
    if value is None:
        if has_field(row, field):
            return ""
        raise DataError(
            f"{row.place}: field {field!r} is missing; there are {listed(paths(row.values))}. "
            f"Name the field that holds the text in spec.dataset.{setting}"
        )
    if not isinstance(value, str):
        raise DataError(
            f"{row.place}: field {field!r} holds {_kind(value)} where a text belongs; "
            f"correct it, or name the field that holds the text in spec.dataset.{setting}"
        )
    return value if value.strip() else ""


def labels_of(row: Row, field: str, separator: str | None) -> tuple[str, ...]:
    """All labels of the row, as they are written: those of a list, or of a text divided by `separator`.

    Numbers and booleans become strings. Raises DataError for what can't be a label.
    """
    value = value_of(row, field)
    several = value if isinstance(value, list) else [value]
    names = [_label(row, field, one) for one in several]
    if separator is not None:
        names = [part for name in names for part in name.split(separator)]
    return tuple(names)


def context_of(row: Row, field: str) -> str:
    """The value as a string, "" where there is none. Raises DataError for a list or an object."""
    return _scalar(row, field, value_of(row, field), "one value", "spec.contextParameters").strip()


def listed(names: Iterable[str]) -> str:
    """Some names for a message."""
    found = sorted(names)
    return ", ".join(repr(name) for name in found[:LISTED]) + (", …" if len(found) > LISTED else "")


def _label(row: Row, field: str, value: object) -> str:
    return _scalar(row, field, value, "a label", "spec.dataset.labelField")


def _scalar(row: Row, field: str, value: object, wanted: str, setting: str) -> str:
    match value:
        case None:
            return ""
        case str(text):
            return text
        case bool(flag):
            return str(flag).lower()
        case int() | float() as number:
            return str(number)
    raise DataError(
        f"{row.place}: field {field!r} holds {_kind(value)} where {wanted} belongs; "
        f"correct it, or name another field in {setting}"
    )


def _kind(value: object) -> str:
    kinds = {list: "a list", dict: "an object", int: "a number", float: "a number", bool: "true or false"}
    return kinds.get(type(value), f"a {type(value).__name__}")
