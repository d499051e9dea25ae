"""One row, whatever the format of its file, and what its fields mean.

Errors say where the row stands and which setting to change; `setting` is the path of the one that names a
field.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import DataError
from . import cells
from .cells import Answers, CellError

MAX_DEPTH = 16
"""Objects inside objects whose fields have a path; those further inside are values."""

PATH = re.compile(r"[^.\[\]]+(\[\d{1,6}\])*(\.[^.\[\]]+(\[\d{1,6}\])*)*")
"""A path with indices, such as annotations[0].result[0].value; others are divided at their dots alone."""

STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

LISTED = 20


class Row(NamedTuple):
    """One row as it stands in the file."""

    place: str
    """Where it stands, for messages."""
    values: dict[str, Any]
    """At least the fields that are asked for, as far as the row has them."""
    others: Callable[[], dict[str, Any]] = dict
    """Gives what is in the file besides and wasn't read for its own sake, by path."""

    def fields(self) -> Iterator[tuple[str, Any]]:
        """All fields with their values, those inside objects by dotted paths."""
        yield from _flat(self.values, "", MAX_DEPTH)
        yield from self.others().items()

    def names(self) -> Iterator[str]:
        """Names of all fields, those inside objects as dotted paths."""
        return (name for name, _ in self.fields())


def require_distinct(place: str, columns: Iterable[str]) -> None:
    """Raises DataError for a column that stands there twice."""
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        raise DataError(
            f"{place}: column {twice[0]!r} stands there twice; give each column a name of its own"
        )


def _flat(values: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value and depth:
            yield from _flat(value, f"{prefix}{name}.", depth - 1)
        else:
            yield f"{prefix}{name}", value


def value_of(row: Row, field: str) -> Any:
    """The value of a column of this name, or else of a path; None where there is none."""
    return _found(row, field)[1]


def has_field(row: Row, field: str) -> bool:
    """True when the row has the column or path, be it empty: as an item of a list that is too short."""
    return _found(row, field)[0]


@lru_cache(maxsize=256)
def steps_of(field: str) -> tuple[str | int, ...]:
    """The way of a path: names of fields of objects, and indices of items of lists."""
    if not PATH.fullmatch(field):
        return tuple(field.split("."))
    return tuple(int(index) if index else name for name, index in STEP.findall(field))


def _found(row: Row, field: str) -> tuple[bool, Any]:
    """Whether there is such a column or path, and its value."""
    if field in row.values:
        return True, row.values[field]
    value: Any = row.values
    for step in steps_of(field):
        if isinstance(step, int):
            if not isinstance(value, list):
                return False, None
            if step >= len(value):
                return True, None
        elif not isinstance(value, dict) or step not in value:
            return False, None
        value = value[step]
    return True, value


def text_of(row: Row, field: str, setting: str) -> str:
    """The text, "" where it is missing. Raises DataError when the row has no such field, or no text in it."""
    value = value_of(row, field)
    if value is None and not has_field(row, field):
        raise DataError(
            f"{row.place}: field {field!r} is missing; there are {listed(row.names())}. "
            f"Name the field that holds the text in {setting}"
        )
    try:
        return cells.text(value)
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a text belongs; correct it, or name the field "
            f"that holds the text in {setting}"
        ) from None


def answers_of(row: Row, field: str, separator: str | None, setting: str) -> list[tuple[str, ...]]:
    """The labels that each annotator gave the row, as they are written; of a plain row those that it has.

    Raises DataError for what can't be a label.
    """
    value = value_of(row, field)
    try:
        return [
            cells.labels(one, separator) for one in (value.given if isinstance(value, Answers) else [value])
        ]
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a label belongs; write the label alone "
            f'("billing"), several as a list (["billing", "urgent"]), or name another field in {setting}'
        ) from None


def value_as_text(row: Row, field: str, setting: str) -> str:
    """The value as a string without white space around it, "" where it is missing.

    Raises DataError for a list or an object.
    """
    try:
        return cells.one_value(value_of(row, field)).strip()
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where one value belongs; correct it, or name another "
            f"field in {setting}"
        ) from None


def score_of(row: Row, field: str, setting: str) -> float | None:
    """A number, also one that is written as a text; None where it is missing. Raises DataError for others."""
    try:
        return cells.number(value_of(row, field))
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a number belongs; correct it, or name the "
            f"field that says how much the texts are alike in {setting}"
        ) from None


def listed(names: Iterable[str]) -> str:
    """Some names for a message."""
    found = sorted(names)
    return ", ".join(repr(name) for name in found[:LISTED]) + (", …" if len(found) > LISTED else "")
