"""Rows of Parquet files."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from pyarrow.lib import ArrowException

from ..errors import DataError
from ..machine import lacks_memory
from ..records import SourceFile
from .cells import CellError, Foreign
from .class_names import class_names, with_name
from .parquet_schema import Columns, array_of, in_words, is_plain
from .rows import Row

ROWS_AT_ONCE = 4096

NOT_READ = Foreign("a value that isn't read")


def parquet_rows(file: SourceFile, wanted: Sequence[str]) -> Iterator[Row]:
    """One row for each of the table's, a few thousand in memory at a time.

    Of columns that aren't `wanted`, those with few values are read beside, for what they tell of labels;
    whatever is in the others doesn't matter.
    """
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            _require_distinct(file, table.schema_arrow.names)
            columns = Columns.of(table, wanted)
            names = class_names(table.schema_arrow)
            first = 1
            for batch in table.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns.read):
                yield from _rows(file, batch, columns, names, first)
                first += batch.num_rows
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        if lacks_memory(error):
            raise
        raise DataError(f"{file.uri}: not a Parquet file that can be read ({error})") from None


def _require_distinct(file: SourceFile, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{file.uri}: column {twice[0]!r} stands there twice; give each column a name of its own"
        )


def _rows(
    file: SourceFile, batch: pa.RecordBatch, columns: Columns, names: Mapping[str, list[str]], first: int
) -> Iterator[Row]:
    """The rows of a batch, the `first` of which has this number in the file."""
    used = [
        _cells(file, name, array_of(batch, path), names.get(name), first)
        for name, path in columns.used.items()
    ]
    others = {name: array_of(batch, path) for name, path in columns.others.items()}
    for number, values in enumerate(zip(*used, strict=True) if used else repeat((), batch.num_rows)):
        yield Row(
            f"{file.uri}, row {first + number}",
            dict(zip(columns.used, values, strict=True)),
            partial(_others, columns.unread, others, number),
        )


def _cells(
    file: SourceFile, name: str, array: pa.Array, classes: list[str] | None, first: int
) -> list[object]:
    """Values as Python has them. Raises DataError that names the row of one that can't be read."""
    try:
        return _values(array, classes)
    except CellError:
        for number in range(len(array)):
            try:
                _values(array.slice(number, 1), classes)
            except CellError as error:
                raise DataError(
                    f"{file.uri}, row {first + number}: column {name!r} holds {error}; correct it"
                ) from None
        raise


def _values(array: pa.Array, classes: list[str] | None) -> list[object]:
    if not is_plain(array.type):
        foreign = Foreign(in_words(array.type))
        return [foreign if valid else None for valid in array.is_valid().to_pylist()]
    try:
        values: list[object] = array.to_pylist()
    except UnicodeDecodeError as error:
        raise CellError(f"a text that is not in UTF-8 (byte 0x{error.object[error.start]:02x})") from None
    return values if classes is None else [with_name(value, classes) for value in values]


def _others(unread: Sequence[str], others: Mapping[str, pa.Array], number: int) -> dict[str, Any]:
    """What else stands in a row of a batch."""
    return {**dict.fromkeys(unread, NOT_READ), **{name: _other(a, number) for name, a in others.items()}}


def _other(array: pa.Array, number: int) -> object:
    try:
        return array[number].as_py()
    except UnicodeDecodeError:
        return NOT_READ
