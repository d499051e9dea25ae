"""Which columns of a Parquet file are read, and as what."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pyarrow.lib import ArrowException

from .metadata import MAX_VALUES
from .rows import MAX_DEPTH

Path = tuple[str, ...]
"""A column, or a field inside its objects: the names on the way to it."""

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
        return [_name(path) for path in (*self.used.values(), *self.others.values())]


def array_of(batch: pa.RecordBatch, path: Path) -> pa.Array:
    """The values of a column; null where an object that holds them is."""
    column, *inside = path
    array = batch.column(column)
    return pc.struct_field(array, inside) if inside else array


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


def _name(path: Path) -> str:
    return ".".join(path)


def _path(schema: pa.Schema, name: str) -> Path | None:
    """A column of this name, or else one whose objects hold it; None where there is neither."""
    if name in schema.names:
        return (name,)
    path, fields = tuple(name.split(".")), schema
    for part in path:
        if not isinstance(fields, pa.Schema | pa.StructType) or fields.get_field_index(part) < 0:
            return None
        fields = fields.field(part).type
    return path


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
