"""Rows of JSON files: one object a line, or all of them in one array."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, TextIO

from ..errors import DataError
from ..records import SourceFile
from .rows import Row
from .text_files import MAX_FIELD, lines_of, text_bytes

HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON may write half of a character beyond the first 65,536; both halves make one."""

MARK = re.compile(r"[^ \t\r\n]")
"""What is no white space in JSON."""

CHARACTERS_AT_ONCE = 1024 * 1024


class _NotRowsError(Exception):
    """What isn't as it has to be."""


def lines_of_objects(file: SourceFile) -> Iterator[Row]:
    """One row for each line that isn't empty."""
    with text_bytes(file) as content:
        for number, line in enumerate(lines_of(file, content), start=1):
            if not line.strip():
                continue
            place = f"{file.uri}, line {number}"
            try:
                written = line.decode("utf-8-sig")
                values = _whole(DECODER.decode(written), written)
            except _NotRowsError as error:
                raise DataError(f"{place}: {error}") from None
            except ValueError as error:  # of what is no UTF-8, no JSON or a number of thousands of digits
                raise DataError(f"{place}: not a JSON object in UTF-8 ({error}); correct the line") from None
            except RecursionError:
                raise DataError(f"{place}: too many lists or objects inside each other; correct it") from None
            if not isinstance(values, dict):
                raise DataError(f"{place}: not a JSON object; write one object with text and label a line")
            yield Row(place, values)


def array_of_objects(file: SourceFile) -> Iterator[Row]:
    """One row for each object of the array, a few in memory at a time."""
    with text_bytes(file) as content, TextIOWrapper(content, encoding="utf-8-sig", newline="") as text:
        array, number = _Array(text), 0
        try:
            for number, (line, values) in enumerate(array.objects(), start=1):
                yield Row(f"{file.uri}, item {number} (line {line})", values)
        except _NotRowsError as error:
            raise DataError(f"{file.uri}, line {array.line}: {error}") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file.uri}, after item {number}: not in UTF-8 (byte 0x{error.object[error.start]:02x}); "
                "save the file as UTF-8"
            ) from None
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of lists
            raise DataError(f"{file.uri}, line {array.line}: not JSON ({error}); correct it") from None


@dataclass
class _Array:
    """A JSON array of objects, decoded one by one as the text is read."""

    text: TextIO
    held: str = ""
    """What has been read, and not been dropped yet."""
    at: int = 0
    """Where in it the next thing starts."""
    line: int = 1
    """The line of the file that this is in."""

    def objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects, each with the line that it starts in. Raises _NotRowsError for what isn't one."""
        if self._next() != "[":
            raise _NotRowsError(
                "not a JSON array; a .json file holds one array of objects. Name a file with one object a "
                "line .jsonl, and leave out others by a pattern of file names"
            )
        self._pass(1)
        closed = self._next() == "]"
        while not closed:
            if self._next() != "{":
                raise _NotRowsError("not a JSON object; the array has to hold one object for each text")
            yield self.line, self._object()
            closed = self._after_object() == "]"
            if not closed:
                self._pass(1)
        self._pass(1)
        if self._next():
            raise _NotRowsError("there is more after the end of the array; put all objects into one array")

    def _object(self) -> dict[str, Any]:
        while True:
            try:
                values, end = DECODER.raw_decode(self.held, self.at)
                break
            except json.JSONDecodeError as error:
                if len(self.held) - self.at > MAX_FIELD or not self._read_on():
                    self._pass(error.pos - self.at)
                    raise _NotRowsError(f"not JSON ({error.msg}); correct it") from None
        found: dict[str, Any] = _whole(values, self.held[self.at : end])
        self._pass(end - self.at)
        return found

    def _after_object(self) -> str:
        mark = self._next()
        if mark not in {",", "]"}:
            raise _NotRowsError("not JSON (an object must be followed by , or ]); correct it")
        return mark

    def _next(self) -> str:
        """The next character that isn't white space, which is passed; "" at the end of the file."""
        while True:
            found = MARK.search(self.held, self.at)
            self._pass((found.start() if found else len(self.held)) - self.at)
            if found:
                return found[0]
            if not self._read_on():
                return ""

    def _pass(self, characters: int) -> None:
        self.line += self.held.count("\n", self.at, self.at + characters)
        self.at += characters

    def _read_on(self) -> bool:
        """Read at least as much as is still needed, so that a long object is tried a few times only."""
        more = self.text.read(max(CHARACTERS_AT_ONCE, len(self.held) - self.at))
        self.held, self.at = self.held[self.at :] + more, 0
        return bool(more)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotRowsError(f"field {twice!r} stands there twice; give each field a name of its own")
    return values


def _whole(values: Any, written: str) -> Any:
    """With a question mark for each half of a character, which texts cut off by other programs end in.

    No UTF-8 can be written of a half, so nothing that follows would take it.
    """
    if not HALF.search(written):
        return values
    return json.loads(json.dumps(values, ensure_ascii=False).encode(errors="replace"))


DECODER = json.JSONDecoder(object_pairs_hook=_distinct)
