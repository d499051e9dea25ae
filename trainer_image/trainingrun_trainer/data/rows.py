"""Rows of files, read one after another."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet
from pyarrow.lib import ArrowException

from ..errors import DataError
from ..records import SourceFile
from .compression import text_bytes

HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON may write half of a character beyond the first 65,536; both halves make one."""


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file; `place` says where, for messages."""

    place: str
    values: dict[str, Any]


def json_lines(file: SourceFile) -> Iterator[Row]:
    """One row for each line that isn't empty."""
    with text_bytes(file) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{file.uri}, line {number}"
            try:
                values = json.loads(line.decode("utf-8-sig"))
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                raise DataError(f"{place}: not a JSON object in UTF-8 ({error}); correct the line") from None
            if not isinstance(values, dict):
                raise DataError(f"{place}: not a JSON object; write one object with text and label a line")
            yield Row(place, _whole(values) if HALF.search(line) else values)


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """With a question mark for each half of a character, which texts cut off by other programs end in.

    No UTF-8 can be written of a half, so nothing that follows would take it.
    """
    written = json.dumps(values, ensure_ascii=False).encode(errors="replace")
    whole: dict[str, Any] = json.loads(written)
    return whole


def parquet(file: SourceFile) -> Iterator[Row]:
    """One row for each of the table's, a few thousand in memory at a time."""
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            number = 0
            for batch in table.iter_batches(batch_size=4096):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.uri}, row {number}", values)
    except (ArrowException, OSError) as error:
        raise DataError(f"{file.uri}: not a Parquet file that can be read ({error})") from None
