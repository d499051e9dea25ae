"""Rows of Parquet files: which columns are read, as what, and the names of classes that stand as numbers."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat, takewhile
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pyarrow.lib import ArrowException

from ..errors import DataError
from ..memory import lacks_memory
from ..records import SourceFile
from .cells import CellError, Foreign
from .metadata import MAX_VALUES
from .rows import MAX_DEPTH, Row, require_distinct, steps_of

ROWS_AT_ONCE = 4096

NOT_READ = Foreign("a value that isn't read")

Path = tuple[str | int, ...]
"""A column, a field inside its objects or an item of its lists: the names and indices on the way to it."""

ROWS_LOOKED_AT = 1024
"""Of each file, to see which columns have few values."""

SCALARS = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
)

METADATA = b"huggingface"
"""Where the library `datasets` describes the columns of a file, in JSON."""

LISTS = ("List", "LargeList", "Sequence")

NO_CLASS = -1
"""What `datasets` writes for a text without a label."""


def parquet_rows(file: SourceFile, wanted: Sequence[str]) -> Iterator[Row]:
    """One row for each of the table's, a few thousand in memory at a time.

    Of columns that aren't `wanted`, those with few values are read beside, for what they tell of labels;
    whatever is in the others doesn't matter.
    """
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            require_distinct(file.uri, table.schema_arrow.names)
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


def _rows(
    file: SourceFile, batch: pa.RecordBatch, columns: "Columns", names: Mapping[str, list[str]], first: int
) -> Iterator[Row]:
    """The rows of a batch, the `first` of which has this number in the file."""
    used = [
        _cells(file, name, array_of(batch, path), names.get(_class_path(path)), first)
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


@dataclass(frozen=True)
class Columns:
    """Columns by the name, or dotted path, that users know them by."""

    used: dict[str, Path]
    """Those that are asked for and there are."""
    others: dict[str, Path]
    """Those with few values, which may be categories."""
    unread: list[str]
    """The rest."""

    @classmethod
    def of(cls, table: pyarrow.parquet.ParquetFile, wanted: Sequence[str]) -> Self:
        """Those of a file."""
        schema = table.schema_arrow
        used = {name: path for name in wanted if (path := _path(schema, name))}
        left = {path: kind for path, kind in _leaves(schema) if path not in used.values()}
        others = _with_few_values(table, [path for path, kind in left.items() if _is_scalar(kind)])
        return cls(used, others, [_name(path) for path in left if path not in others.values()])

    @property
    def read(self) -> list[str]:
        """As pyarrow takes them."""
        return [_read_name(path) for path in (*self.used.values(), *self.others.values())]


def array_of(batch: pa.RecordBatch, path: Path) -> pa.Array:
    """The values of a column; null where an object or a list that holds them is, or the list is too short."""
    column, *inside = path
    array = batch.column(column)
    for step in inside:
        array = pc.struct_field(array, step) if isinstance(step, str) else _items(array, step)
    return array


def _items(lists: pa.Array, index: int) -> pa.Array:
    one_each = pc.list_slice(lists, index, index + 1, return_fixed_size_list=True)
    return pc.list_element(one_each, 0)


def is_plain(kind: pa.DataType) -> bool:
    """Whether values are what JSON has: texts, numbers, truth values, lists and objects of them."""
    if pa.types.is_struct(kind):
        return all(is_plain(field.type) for field in kind)
    return is_plain(kind.value_type) if _is_list(kind) else _is_scalar(kind)


def in_words(kind: pa.DataType) -> str:
    """What a value is, for messages."""
    if pa.types.is_struct(kind):
        return "an object"
    return "a list" if _is_list(kind) else f"a {kind}"


def _is_scalar(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_scalar(kind.value_type)
    return any(is_of_it(kind) for is_of_it in SCALARS)


def _is_list(kind: pa.DataType) -> bool:
    return any((pa.types.is_list(kind), pa.types.is_large_list(kind), pa.types.is_fixed_size_list(kind)))


def _name(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path))


def _read_name(path: Path) -> str:
    """What has to be read, as pyarrow takes it: lists as a whole."""
    return _name(takewhile(lambda step: isinstance(step, str), path))


def _class_path(path: Path) -> str:
    """Under which name there may be names of classes."""
    return _name(step for step in path if isinstance(step, str))


def _path(schema: pa.Schema, name: str) -> Path | None:
    """A column of this name, or else one whose objects and lists hold it; None where there is neither."""
    if name in schema.names:
        return (name,)
    path, kind = steps_of(name), pa.struct(schema)
    for step in path:
        inside = _inside(kind, step)
        if inside is None:
            return None
        kind = inside
    return path


def _inside(kind: pa.DataType, step: str | int) -> pa.DataType | None:
    """Of what type a field of an object, or an item of a list is; None where there is no such thing."""
    if isinstance(step, int):
        return kind.value_type if _is_list(kind) else None
    known = pa.types.is_struct(kind) and kind.get_field_index(step) >= 0
    return kind.field(step).type if known else None


def _leaves(fields: Iterable[pa.Field], above: Path = ()) -> Iterator[tuple[Path, pa.DataType]]:
    """All columns, those with objects by the fields of these."""
    for field in fields:
        path = (*above, field.name)
        if pa.types.is_struct(field.type) and len(path) < MAX_DEPTH:
            yield from _leaves(field.type, path)
        else:
            yield path, field.type


def _with_few_values(table: pyarrow.parquet.ParquetFile, paths: Sequence[Path]) -> dict[str, Path]:
    """Those that may be categories, as far as the first rows show; none where these can't be read."""
    names = [_name(path) for path in paths]
    try:
        batch: Any = next(table.iter_batches(batch_size=ROWS_LOOKED_AT, columns=names), None)
        return {
            name: path
            for name, path in zip(names, paths, strict=True)
            if batch is not None and len(array_of(batch, path).unique()) <= MAX_VALUES
        }
    except (ArrowException, OSError):
        return {}


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """The names by the path of their column; none where the file says nothing of it."""
    written = (schema.metadata or {}).get(METADATA, b"{}")
    try:
        match json.loads(written):
            case {"info": {"features": {**features}}}:
                return dict(_named(features, ""))
    except (ValueError, RecursionError):
        pass  # not written by `datasets`, so nothing is known
    return {}


def _named(features: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    for name, feature in features.items():
        match _element(feature):
            case {"_type": "ClassLabel", "names": [*names]}:
                yield f"{prefix}{name}", [str(one) for one in names]
            case {"_type": str()}:
                continue
            case {**inner}:
                yield from _named(inner, f"{prefix}{name}.")


def _element(feature: object) -> object:
    match feature:
        case {"_type": kind, "feature": inner} if kind in LISTS:
            return inner
        case [inner]:
            return inner
    return feature


def with_name(value: object, names: list[str]) -> object:
    """The name of the class, or of each class of a list. Raises CellError for a number that has none."""
    match value:
        case list():
            return [with_name(one, names) for one in value]
        case int() if value == NO_CLASS:
            return None
        case int() if 0 <= value < len(names):
            return names[value]
        case int():
            raise CellError(f"{value}, and its classes are 0 to {len(names) - 1}")
    return value
