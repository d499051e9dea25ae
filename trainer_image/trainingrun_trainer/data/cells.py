"""What a cell means, in whatever format it is written: a text, one value, labels or a number, or nothing."""

import ast
import json
import math
import re
import warnings
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from .arrays import as_python

VISIBLE = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""A character that shows: no white space, no control character, none that Unicode has ignored by default
(zero-width space, direction marks, variation selectors), and no blank of Braille."""

NOT_A_NUMBER = frozenset({"nan", "<na>"})
"""How programs write a missing value as a text, in small letters; words that people use stay labels."""

OPENING = ("[", "{", "(")

UNREADABLE = re.compile(r"""([\[{]\s*)+['"]|\[[^\[\]]*,[^\[\]]*\]$|\{[^{}]*[,:][^{}]*\}$""")
"""What was meant to be a list or an object, where neither JSON nor Python reads it."""

SIDE_BY_SIDE = re.compile(r"""['"]\s+['"]""")
"""Strings without a comma between, as numpy writes them; Python would make one string of them."""


@dataclass(frozen=True)
class Answers:
    """What annotators answered about a text, in place of one value."""

    given: tuple[object, ...]
    """A value for each annotator."""


KINDS: dict[type, str] = {
    bool: "true or false",
    **dict.fromkeys((int, float, Decimal), "a number"),
    **dict.fromkeys((list, tuple, set), "a list"),
    dict: "an object",
    Answers: "the answers of annotators",
}
"""What a value is, in words."""

CHOICES = "choices"
"""The only field of an object in which annotation tools write several labels."""


class CellError(Exception):
    """A cell that is not what it is wanted for; says what it holds."""


@dataclass(frozen=True)
class Foreign:
    """A value of a type that is never a text, a label or a number."""

    kind: str
    """In words, for messages."""


def is_missing(value: object) -> bool:
    """Whether there is nothing: null, NaN, or a text without a character that shows."""
    if isinstance(value, str):
        return VISIBLE.search(value) is None or (len(value) < 9 and value.strip().lower() in NOT_A_NUMBER)
    return value is None or (isinstance(value, float | Decimal) and math.isnan(value))


def text(value: object) -> str:
    """The text as it stands, "" where it is missing. Raises CellError for what is no text."""
    if is_missing(value):
        return ""
    if not isinstance(value, str):
        raise CellError(_kind(value))
    return value


def one_value(value: object) -> str:
    """A text as it stands, a number or a truth value as a string; "" where it is missing.

    Raises CellError for a list or an object.
    """
    if is_missing(value):
        return ""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value)
    raise CellError(_kind(value))


def labels(value: object, separator: str | None = None) -> tuple[str, ...]:
    """All labels as they are written: one value, or those of a list, of an object with nothing but `choices`,
    or of either written as a text in JSON or Python; each of them divided by `separator`.

    Raises CellError for other objects, for lists in lists and for lists that are broken.
    """
    return _labels_of_text(value, separator) if isinstance(value, str) else _labels(value, separator)


def items(value: object) -> list[object]:
    """The items of a list, also one that is written as a text in JSON, Python or as numpy prints it; none
    where it is missing.

    Raises CellError for what is no list.
    """
    found = _read(as_python(value)) if isinstance(value, str) else value
    if is_missing(found):
        return []
    if not isinstance(found, list):
        raise CellError(_kind(found))
    return found


def number(value: object) -> float | None:
    """A number, also one that is written as a text; None where it is missing. Raises CellError for others."""
    if is_missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise CellError(_kind(value))
    try:
        found = float(value)
    except (ValueError, OverflowError):
        found = math.inf
    if not math.isfinite(found):
        raise CellError(repr(str(value)[:40]))
    return found


@lru_cache(maxsize=4096)  # the same come again and again
def _labels_of_text(written: str, separator: str | None) -> tuple[str, ...]:
    return _labels(_read(written), separator)


def _labels(value: object, separator: str | None) -> tuple[str, ...]:
    if isinstance(value, dict) and value.keys() == {CHOICES}:
        value = value[CHOICES]
    several = value if isinstance(value, list | tuple | set) else [value]
    names = [one_value(_single(one)) for one in several]
    if separator is not None:
        names = [part for name in names for part in name.split(separator)]
    return tuple(name for name in names if not is_missing(name))


def _single(value: object) -> object:
    if isinstance(value, str) and not isinstance(_read(value), str):
        raise CellError(f"{_kind(value)} inside a list")
    return value


def _read(written: str) -> object:
    """What a text that is a list or an object stands for, else the text."""
    stripped = written.strip()
    if not stripped.startswith(OPENING):
        return written
    for read in (json.loads, _python):
        try:
            value = read(stripped)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | tuple | set | dict):
            return value
    if UNREADABLE.match(stripped):
        raise CellError(f"{stripped[:40]!r}, neither JSON nor a list of Python's,")
    return written


def _python(written: str) -> object:
    if SIDE_BY_SIDE.search(written):
        raise ValueError("commas are missing")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of backslashes
        return ast.literal_eval(written)


def _kind(value: object) -> str:
    if isinstance(value, Foreign):
        return value.kind
    return repr(value[:40]) if isinstance(value, str) else KINDS.get(type(value), f"a {type(value).__name__}")
