"""Read labelled texts from files."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pyarrow.parquet
from pyarrow.lib import ArrowException

from .errors import DataError
from .records import Example, LabelledTexts, SourceFile

SUFFIXES = (".jsonl", ".csv", ".parquet")

MAX_CSV_FIELD = 16 * 1024 * 1024
"""Characters in one CSV field; more means that a quote was never closed."""


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file; `place` says where, for messages."""

    place: str
    values: dict[str, Any]


def read(files: list[SourceFile], text_field: str, label_field: str) -> LabelledTexts:
    """Read all files, in order.

    Rows without text or label are left out and counted; numbers and booleans as labels become strings.
    Raises DataError that names file, line, field and what to change.
    """
    examples: list[Example] = []
    empty = unlabelled = 0
    fields: set[str] = set()
    for file in files:
        for row in rows(file):
            fields.update(row.values)
            text, label = _text(row, text_field), _label(row, label_field)
            if not text:
                empty += 1
            elif not label:
                unlabelled += 1
            else:
                examples.append(Example(text, (label,)))
    _require_examples(files, examples, fields, label_field)
    return LabelledTexts(examples, empty, unlabelled)


def rows(file: SourceFile) -> Iterator[Row]:
    """The rows of one file. Raises DataError for a file or line that can't be read."""
    match PurePath(file.uri).suffix.lower():
        case ".jsonl":
            return _json_lines(file)
        case ".csv":
            return _csv(file)
        case ".parquet":
            return _parquet(file)
    raise DataError(f"{file.uri}: unknown kind of file; spec.dataset.uri takes {', '.join(SUFFIXES)}")


def _json_lines(file: SourceFile) -> Iterator[Row]:
    with file.path.open("rb") as lines:
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
            yield Row(place, values)


def _csv(file: SourceFile) -> Iterator[Row]:
    csv.field_size_limit(MAX_CSV_FIELD)
    with file.path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            for values in reader:
                place = f"{file.uri}, line {reader.line_num}"
                if None in values or None in values.values():
                    raise DataError(
                        f"{place}: {'more' if None in values else 'fewer'} fields than the header line has; "
                        "put quotes around fields that hold commas or line breaks"
                    )
                yield Row(place, values)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{file.uri}, after line {reader.line_num}: not CSV in UTF-8 ({error}); correct the line"
            ) from None


def _parquet(file: SourceFile) -> Iterator[Row]:
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            number = 0
            for batch in table.iter_batches(batch_size=4096):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.uri}, row {number}", values)
    except (ArrowException, OSError) as error:
        raise DataError(f"{file.uri}: not a Parquet file that can be read ({error})") from None


def _text(row: Row, field: str) -> str:
    if field not in row.values:
        raise DataError(
            f"{row.place}: field {field!r} is missing; there are {_listed(row.values)}. "
            "Name the field that holds the text in spec.dataset.textField"
        )
    value = row.values[field]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(
            f"{row.place}: field {field!r} holds {_kind(value)} where a text belongs; "
            "correct it, or name the field that holds the text in spec.dataset.textField"
        )
    return value if value.strip() else ""


def _label(row: Row, field: str) -> str:
    match row.values.get(field):
        case None:
            return ""
        case str(label):
            return label.strip()
        case bool(flag):
            return str(flag).lower()
        case int() | float() as number:
            return str(number)
        case other:
            raise DataError(
                f"{row.place}: field {field!r} holds {_kind(other)} where one label belongs; "
                "correct it, or name the field that holds the label in spec.dataset.labelField"
            )


def _require_examples(
    files: list[SourceFile], examples: list[Example], fields: set[str], label_field: str
) -> None:
    if examples:
        return
    where = files[0].uri if len(files) == 1 else f"{files[0].uri} and {len(files) - 1} more files"
    if not fields:
        raise DataError(f"{where}: there are no rows; spec.dataset.uri must name labelled texts")
    if label_field not in fields:
        raise DataError(
            f"{where}: no row has the field {label_field!r}; there are {_listed(fields)}. "
            "Name the field that holds the label in spec.dataset.labelField"
        )
    raise DataError(f"{where}: no row has both a text and a label; see spec.dataset.textField and labelField")


def _listed(fields: Any) -> str:
    names = sorted(str(field) for field in fields)
    return ", ".join(repr(name) for name in names[:20]) + (", …" if len(names) > 20 else "")


def _kind(value: object) -> str:
    kinds = {list: "a list", dict: "an object", int: "a number", float: "a number", bool: "true or false"}
    return kinds.get(type(value), f"a {type(value).__name__}")
