"""Which files can be read, and how each is."""

from collections.abc import Iterator, Sequence

from ..errors import DataError
from ..records import SourceFile
from .compression import COMPRESSED, kind_of
from .csv_rows import csv_rows
from .json_rows import json_rows
from .parquet_rows import parquet_rows
from .rows import Row

TEXT_KINDS = (".jsonl", ".csv", ".tsv")
KINDS = (*TEXT_KINDS, ".parquet")

SUFFIXES = (*KINDS, *(kind + compression for kind in TEXT_KINDS for compression in COMPRESSED))
"""Ends of the names of files that can be read, in small letters. Parquet compresses inside."""


def rows(file: SourceFile, wanted: Sequence[str]) -> Iterator[Row]:
    """The rows of one file, as they are read, with at least the `wanted` fields.

    Raises DataError for a file or line that can't be read.
    """
    if file.kind is None and not file.uri.lower().endswith(SUFFIXES):
        raise DataError(
            f"{file.uri}: unknown kind of file; spec.dataset.uri takes {', '.join(KINDS)}, "
            f"those of text also compressed ({', '.join(COMPRESSED)})"
        )
    match file.kind or kind_of(file.uri):
        case ".jsonl":
            return json_rows(file)
        case ".parquet":
            return parquet_rows(file, wanted)
    return csv_rows(file, wanted)
