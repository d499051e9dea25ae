"""Fields of a row, and what they mean to it; errors say where they stand and what to change."""

from collections.abc import Iterable
from typing import Any

from ..errors import DataError
from . import cells
from .cells import CellError
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


def text_of(row: Row, field: str, setting: str = "textField") -> str:
    """The text, "" where it is missing. Raises DataError when the row has no such field, or no text in it.

    `setting` is the field of spec.dataset that names it, for messages.
    """
    value = value_of(row, field)
    if value is None and not has_field(row, field):
        raise DataError(
            f"{row.place}: field {field!r} is missing; there are {listed(row.names())}. "
            f"Name the field that holds the text in spec.dataset.{setting}"
        )
    try:
        return cells.text(value)
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a text belongs; correct it, or name the field "
            f"that holds the text in spec.dataset.{setting}"
        ) from None


def labels_of(row: Row, field: str, separator: str | None) -> tuple[str, ...]:
    """All labels of the row, as they are written. Raises DataError for what can't be a label."""
    try:
        return cells.labels(value_of(row, field), separator)
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a label belongs; write the label alone "
            '("billing"), several as a list (["billing", "urgent"]), or name another field in '
            "spec.dataset.labelField"
        ) from None


def value_as_text(row: Row, field: str, setting: str) -> str:
    """The value as a string without white space around it, "" where it is missing; `setting` names the field.

    Raises DataError for a list or an object.
    """
    try:
        return cells.one_value(value_of(row, field)).strip()
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where one value belongs; correct it, or name another "
            f"field in {setting}"
        ) from None


def score_of(row: Row, field: str) -> float | None:
    """A number, also one that is written as a text; None where it is missing. Raises DataError for others."""
    try:
        return cells.number(value_of(row, field))
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a number belongs; correct it, or name the "
            "field that says how much the texts are alike in spec.dataset.scoreField"
        ) from None


def listed(names: Iterable[str]) -> str:
    """Some names for a message."""
    found = sorted(names)
    return ", ".join(repr(name) for name in found[:LISTED]) + (", …" if len(found) > LISTED else "")
