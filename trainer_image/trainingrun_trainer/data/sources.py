"""Data sets on this machine: their files, and which of their rows are used."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from trainingrun_api.dataset import DataSource
from trainingrun_api.row_filter import RowFilter

from ..errors import DataError
from ..records import SourceFile
from .exports import answered, columns
from .json_files import array_of_objects, lines_of_objects
from .parquet_files import parquet_rows
from .rows import Row, has_field, listed, value_as_text
from .tally import Tally
from .text_files import COMPRESSED, csv_rows, kind_of

log = logging.getLogger(__name__)

TEXT_KINDS = (".jsonl", ".json", ".csv", ".tsv")
KINDS = (*TEXT_KINDS, ".parquet")

SUFFIXES = (*KINDS, *(kind + compression for kind in TEXT_KINDS for compression in COMPRESSED))
"""Ends of the names of files that can be read, in small letters. Parquet compresses inside."""

VALUES_KEPT = 100
"""Values of the field that messages can list."""


def _rows(file: SourceFile, wanted: Sequence[str], setting: str) -> Iterator[Row]:
    """The rows of one file, as they are read, with at least the `wanted` fields.

    Raises DataError for a file or line that can't be read; `setting` is the path of the data set.
    """
    if file.kind is None and not file.uri.lower().endswith(SUFFIXES):
        raise DataError(
            f"{file.uri}: unknown kind of file; {setting}.uri takes {', '.join(KINDS)}, "
            f"those of text also compressed ({', '.join(COMPRESSED)})"
        )
    match file.kind or kind_of(file.uri):
        case ".jsonl":
            return lines_of_objects(file)
        case ".json":
            return array_of_objects(file)
        case ".parquet":
            return parquet_rows(file, wanted)
    return csv_rows(file, wanted)


@dataclass(frozen=True)
class FetchedSource:
    """A data set, and its files on this machine."""

    source: DataSource
    files: list[SourceFile]
    commit: str | None = None
    """Commit of the Hugging Face repository that they are of; None for files of an object store."""

    @property
    def place(self) -> str:
        """Its files, for messages."""
        first, *others = self.files
        return f"{first.uri} and {len(others)} more files" if others else first.uri


class Selection:
    """The rows of one data set that spec.dataset.filter keeps; in the end it is known whether it fits."""

    def __init__(self, fetched: FetchedSource, tally: Tally) -> None:
        self._fetched, self._tally = fetched, tally
        self._filter, self._setting = fetched.source.filter, fetched.source.setting
        self._seen: set[str] = set()
        self._has_field = False

    def rows(self, wanted: Sequence[str]) -> Iterator[Row]:
        """Rows with at least the `wanted` fields, file after file; all of them are counted.

        Raises DataError for what can't be read, and after the last row for a filter that leaves out all.
        """
        source = self._fetched.source
        fields = [*wanted, *columns(source), *([self._filter.field] if self._filter else [])]
        files = [partial(_rows, file, fields, self._setting) for file in self._fetched.files]
        for row in answered(source, files):
            self._tally.count(row)
            if self._filter is None or self._keeps(row, self._filter):
                yield row
            else:
                self._tally.rows_filtered += 1
        if self._filter is not None and self._tally.read:
            self._require_known(self._filter)

    def _keeps(self, row: Row, wanted: RowFilter) -> bool:
        value = value_as_text(row, wanted.field, f"{self._setting}.filter.field")
        self._has_field = self._has_field or has_field(row, wanted.field)
        if value and (value in wanted.named or len(self._seen) < VALUES_KEPT):
            self._seen.add(value)
        return wanted.keeps(value)

    def _require_known(self, wanted: RowFilter) -> None:
        field = wanted.field
        if not self._has_field:
            raise DataError(
                f"{self._fetched.place}: no row has the field {field!r}; there are "
                f"{listed(self._tally.fields)}. Correct {self._setting}.filter.field"
            )
        there_are = f"there are {listed(self._seen)}" if self._seen else "there are no values"
        if self._tally.rows_filtered == self._tally.read:
            raise DataError(
                f"{self._fetched.place}: {self._setting}.filter leaves out all rows; in {field!r} {there_are}"
            )
        if unknown := wanted.named - self._seen:
            log.warning(
                "%s.filter: no row has %s in %r; %s", self._setting, listed(unknown), field, there_are
            )
