"""Text files, compressed or not, and the rows of CSV, whatever divides its columns."""

import bz2
import csv
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, Any, AnyStr

import pyarrow

from ..errors import DataError
from ..records import SourceFile
from .rows import Row, require_distinct

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

DELIMITERS = (",", ";", "\t", "|")

MAX_FIELD = 16 * 1024 * 1024
"""Characters in one field; more means that a quote was never closed."""

MAX_LINE = 64 * 1024 * 1024
"""Bytes or characters of a line; more is no text, or a small compressed file that fills the memory."""

BACKSLASH = re.compile(r'\\([\\"])?')


def kind_of(uri: str) -> str:
    """The end of the name that tells the kind of file, in small letters, without that of a compression."""
    path = PurePath(uri.lower())
    return path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix


@contextmanager
def text_bytes(file: SourceFile) -> Iterator[BufferedReader]:
    """The bytes of a text file, decompressed as they are read.

    Raises DataError for a compressed file that is cut off or none, and for text in UTF-16, which spreadsheets
    like to write.
    """
    suffix = PurePath(file.uri.lower()).suffix
    try:
        with BufferedReader(_decompressed(file.path, suffix)) as content:
            start = content.peek(2)[:2]
            if start in UTF_16_MARKS or b"\0" in start:  # as half of each Latin letter is without a mark
                raise DataError(
                    f"{file.uri}: the text is in UTF-16; save the file as UTF-8, or convert it with "
                    "iconv -f UTF-16 -t UTF-8"
                )
            yield content
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        if suffix not in COMPRESSED:
            raise
        raise DataError(
            f"{file.uri}: not a whole {suffix} file ({error}); compress and upload it again"
        ) from None


def lines_of(file: SourceFile, content: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines, one at a time. Raises DataError for one that is longer than MAX_LINE."""
    number = 0
    while line := content.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise DataError(
                f"{file.uri}, line {number}: longer than {MAX_LINE >> 20} MiB; put one text on a line"
            )
        yield line


def _decompressed(path: Path, suffix: str) -> Any:
    match suffix:
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
        case ".zst":
            return pyarrow.input_stream(str(path), compression="zstd")
    return path.open("rb", buffering=0)


def csv_rows(file: SourceFile, wanted: Sequence[str]) -> Iterator[Row]:
    """One row for each after the header line.

    Columns are divided by that one of `, ; tab |` which makes most `wanted` columns stand in the header,
    or else the most columns; in a .tsv file by tabs. A quote inside a field is written twice or, as Spark
    does, after a backslash; other backslashes are characters like any.
    """
    csv.field_size_limit(MAX_FIELD)
    escaped = _has_escaped_quotes(file, wanted)
    with _lines(file) as lines:
        place = f"{file.uri}, line 1"
        delimiter, divided = _divided(file, _with_pairs(lines) if escaped else lines, wanted)
        escape = "\\" if escaped else None
        reader = csv.reader(divided, strict=True, delimiter=delimiter, escapechar=escape)
        try:
            columns: list[str] = next(reader, [])
            require_distinct(place, filter(None, columns))
            for values in reader:
                place = f"{file.uri}, line {reader.line_num}"
                if values:
                    yield Row(place, _by_column(place, columns, values, delimiter))
        except csv.Error as error:
            raise DataError(
                f"{file.uri}, after {place.rpartition(', ')[2]}: not CSV ({error}); put quotes around fields "
                "that hold some, and write each of these twice"
            ) from None


def _has_escaped_quotes(file: SourceFile, wanted: Sequence[str]) -> bool:
    r"""Whether there is a \" somewhere, and the file is CSV only if it stands for a quote."""
    with _lines(file) as lines:
        if not any('\\"' in line for line in lines):
            return False
    with _lines(file) as lines:
        delimiter, divided = _divided(file, lines, wanted)
        reader = csv.reader(divided, strict=True, delimiter=delimiter)
        try:
            columns: list[str] = next(reader, [])
            return any(values and len(values) != len(columns) for values in reader)
        except csv.Error:
            return True


@contextmanager
def _lines(file: SourceFile) -> Iterator[Iterator[str]]:
    """The lines of a file; they raise DataError where one is not in UTF-8."""
    with (
        text_bytes(file) as content,
        TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        yield _decoded(file, text)


def _decoded(file: SourceFile, text: TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(lines_of(file, text), start=1):
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{file.uri}, line {number}: not in UTF-8 (byte 0x{ord(line[error.start]) & 0xFF:02x}); save "
                "the file as UTF-8, or convert it, from Windows-1252 with iconv -f WINDOWS-1252 -t UTF-8"
            ) from None
        yield line


def _with_pairs(lines: Iterator[str]) -> Iterator[str]:
    """With two backslashes for each that is before neither a quote nor another, as csv would drop it."""
    for line in lines:
        yield BACKSLASH.sub(lambda found: found[0] if found[1] else 2 * found[0], line)


def _divided(file: SourceFile, lines: Iterator[str], wanted: Sequence[str]) -> tuple[str, Iterator[str]]:
    """What divides the columns, and the lines again."""
    header = next(lines, "")
    return "\t" if kind_of(file.uri) == ".tsv" else _delimiter(header, wanted), chain([header], lines)


def _delimiter(header: str, wanted: Sequence[str]) -> str:
    def fit(delimiter: str) -> tuple[int, int]:
        columns = _fields(header, delimiter)
        return len(set(wanted).intersection(columns)), len(columns)

    return max(DELIMITERS, key=fit)  # the first of them on a tie


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _by_column(place: str, columns: list[str], values: list[str], delimiter: str) -> dict[str, str]:
    if len(values) != len(columns):
        raise DataError(
            f"{place}: {'more' if len(values) > len(columns) else 'fewer'} fields than the header line has, "
            f"divided at {delimiter!r}; put quotes around fields that hold it or line breaks"
        )
    return dict(zip(columns, values, strict=True))
