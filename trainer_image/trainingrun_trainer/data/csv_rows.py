"""Rows of CSV files, whatever divides their columns."""

import csv
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import chain

from ..errors import DataError
from ..records import SourceFile
from .compression import kind_of, text_bytes
from .rows import Row

DELIMITERS = (",", ";", "\t", "|")

MAX_FIELD = 16 * 1024 * 1024
"""Characters in one field; more means that a quote was never closed."""


def csv_rows(file: SourceFile, wanted: Sequence[str]) -> Iterator[Row]:
    """One row for each after the header line.

    Columns are divided by that one of `, ; tab |` which makes most `wanted` columns stand in the header,
    or else the most columns; in a .tsv file by tabs.
    """
    csv.field_size_limit(MAX_FIELD)
    with text_bytes(file) as content:
        lines = TextIOWrapper(content, encoding="utf-8-sig", newline="")
        place = f"{file.uri}, line 1"
        try:
            header = lines.readline()
            delimiter = "\t" if kind_of(file.uri) == ".tsv" else _delimiter(header, wanted)
            reader = csv.reader(chain([header], lines), strict=True, delimiter=delimiter)
            columns = next(reader, [])
            _require_distinct(place, columns)
            for values in reader:
                place = f"{file.uri}, line {reader.line_num}"
                if values:
                    yield Row(place, _by_column(place, columns, values, delimiter))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{file.uri}, after {place.rpartition(', ')[2]}: not CSV in UTF-8 ({error}); correct the line"
            ) from None


def _delimiter(header: str, wanted: Sequence[str]) -> str:
    def fit(delimiter: str) -> tuple[int, int]:
        columns = _fields(header, delimiter)
        return len(set(wanted).intersection(columns)), len(columns)

    return max(DELIMITERS, key=fit)  # the first of them on a tie


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _require_distinct(place: str, columns: list[str]) -> None:
    twice = sorted({column for column in columns if columns.count(column) > 1 and column})
    if twice:
        raise DataError(
            f"{place}: column {twice[0]!r} stands there twice; give each column a name of its own"
        )


def _by_column(place: str, columns: list[str], values: list[str], delimiter: str) -> dict[str, str]:
    if len(values) != len(columns):
        raise DataError(
            f"{place}: {'more' if len(values) > len(columns) else 'fewer'} fields than the header line has, "
            f"divided at {delimiter!r}; put quotes around fields that hold it or line breaks"
        )
    return dict(zip(columns, values, strict=True))
