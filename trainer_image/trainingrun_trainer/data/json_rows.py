"""Rows of JSON Lines."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..errors import DataError
from ..records import SourceFile
from .compression import text_bytes
from .rows import Row

HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON may write half of a character beyond the first 65,536; both halves make one."""


def json_rows(file: SourceFile) -> Iterator[Row]:
    """One row for each line that isn't empty."""
    with text_bytes(file) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{file.uri}, line {number}"
            try:
                values = _decoded(line)
            except _TwiceError as error:
                raise DataError(f"{place}: {error}") from None
            except ValueError as error:  # of what is no UTF-8, no JSON or a number of thousands of digits
                raise DataError(f"{place}: not a JSON object in UTF-8 ({error}); correct the line") from None
            except RecursionError:
                raise DataError(f"{place}: too many lists or objects inside each other; correct it") from None
            if not isinstance(values, dict):
                raise DataError(f"{place}: not a JSON object; write one object with text and label a line")
            yield Row(place, values)


class _TwiceError(Exception):
    """A field that an object has twice."""


def _decoded(line: bytes) -> object:
    values = DECODER.decode(line.decode("utf-8-sig"))
    return _whole(values) if HALF.search(line) else values


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _TwiceError(f"field {twice!r} stands there twice; give each field a name of its own")
    return values


def _whole(values: object) -> object:
    """With a question mark for each half of a character, which texts cut off by other programs end in.

    No UTF-8 can be written of a half, so nothing that follows would take it.
    """
    written = json.dumps(values, ensure_ascii=False).encode(errors="replace")
    return json.loads(written)


DECODER = json.JSONDecoder(object_pairs_hook=_distinct)
