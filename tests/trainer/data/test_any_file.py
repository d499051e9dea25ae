"""Whatever a file holds, it gives labelled texts or pairs, or the user is told what is wrong with it."""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from promises import Promise, forms

from trainingrun_api.dataset import DataSource, ExportFormat
from trainingrun_trainer.data import FetchedSource, PairReading
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import SourceFile

from .files import reading

NAMES = ("text", "label", "context", "pair", "score")

FEW_AND_MANY = forms(100, 3000)


def so_many(files: int) -> settings:
    return settings(
        max_examples=files,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


written_values = st.sampled_from(
    [
        "nan",
        "['a', 'b']",
        '["a"]',
        "[[]]",
        '{"choices": ["a"]}',
        "{'a'}",
        "['a' 'b']",
        "[",
        "\u200b",
        "1e999",
        "-nan",
    ]
)
texts = st.text(max_size=6) | written_values
numbers = st.sampled_from([math.nan, math.inf, 10**400, 1.5]) | st.integers() | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(texts | st.just("choices"), inner, max_size=2)
    ),
    max_leaves=4,
)
cells = st.just("late") | texts | numbers | values
rows = st.lists(
    st.fixed_dictionaries({"text": cells}, optional=dict.fromkeys(NAMES[1:], cells)), min_size=1, max_size=3
)


@st.composite
def damaged(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """Some of them cut off, or with other bytes somewhere."""
    content = draw(contents)
    at = draw(st.none() | st.integers(0, len(content)))
    if at is None:
        return content
    return (
        content[:at]
        + draw(st.binary(max_size=3))
        + content[at + draw(st.sampled_from([0, 1, len(content)])) :]
    )


def json_lines(found: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in found).encode()


def zstd(content: bytes) -> bytes:
    compressed: bytes = pyarrow.compress(content, codec="zstd", asbytes=True)
    return compressed


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    file = io.StringIO(newline="")
    found = draw(st.lists(st.lists(texts, min_size=len(NAMES), max_size=len(NAMES)), max_size=4))
    csv.writer(file, delimiter=draw(st.sampled_from(",;\t|"))).writerows([NAMES, *found])
    return file.getvalue().encode(errors="surrogatepass")


ANY_INT64 = st.integers(-(2**63), 2**63 - 1)
STRUCT = pyarrow.struct({"choices": pyarrow.list_(pyarrow.string()), "at": pyarrow.timestamp("us", "UTC")})
COLUMNS: list[tuple[pyarrow.DataType, st.SearchStrategy[Any]]] = [
    (pyarrow.string(), texts.map(lambda text: text.encode(errors="replace").decode())),
    (pyarrow.large_string(), st.text("ab", max_size=2)),
    (pyarrow.int64(), ANY_INT64),
    (pyarrow.float64(), st.floats()),
    (pyarrow.bool_(), st.booleans()),
    (pyarrow.binary(), st.binary(max_size=3)),
    (pyarrow.timestamp("us", "Europe/Berlin"), ANY_INT64),
    (pyarrow.timestamp("ns"), ANY_INT64),
    (pyarrow.date32(), st.dates(max_value=date.max)),
    (pyarrow.time64("us"), st.integers(0, 86_399_999_999)),
    (pyarrow.duration("ns"), ANY_INT64),
    (pyarrow.decimal128(5, 2), st.decimals(-99, 99, places=2)),
    (pyarrow.decimal256(50, 2), st.decimals(-99, 99, places=2)),
    (pyarrow.null(), st.none()),
    (pyarrow.uint64(), st.integers(0, 2**64 - 1)),
    (pyarrow.float16(), st.floats(width=16)),
    (pyarrow.binary(3), st.binary(min_size=3, max_size=3)),
    (pyarrow.large_binary(), st.binary(max_size=3)),
    (pyarrow.date64(), st.dates()),
    (pyarrow.time32("ms"), st.integers(0, 86_399_999)),
    (pyarrow.timestamp("s"), st.integers(-(2**40), 2**40)),
    (pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), st.text("ab", max_size=2)),
    (pyarrow.large_list(pyarrow.string()), st.lists(st.text("ab", max_size=2), max_size=3)),
    (pyarrow.list_(pyarrow.string(), 2), st.lists(st.text("ab", max_size=2), min_size=2, max_size=2)),
    (pyarrow.list_(pyarrow.string()), st.lists(st.none() | st.text("ab[{'", max_size=2), max_size=3)),
    (pyarrow.list_(pyarrow.list_(pyarrow.int8())), st.just([[1]])),
    (pyarrow.map_(pyarrow.string(), pyarrow.int64()), st.just([("a", 1)])),
    (STRUCT, st.fixed_dictionaries({"choices": st.none() | st.just(["a"]), "at": ANY_INT64})),
]


@st.composite
def columns(draw: st.DrawFn, size: int) -> pyarrow.Array:
    """Of any type; among texts some that are not in UTF-8."""
    if draw(st.booleans()):
        return pyarrow.array([b"late", draw(st.binary(max_size=3))][-size:] * size, pyarrow.binary())[
            :size
        ].view(pyarrow.string())
    kind, cells = draw(st.sampled_from(COLUMNS))
    return pyarrow.array(draw(st.lists(st.none() | cells, min_size=size, max_size=size)), kind)


@st.composite
def parquet_files(draw: st.DrawFn) -> bytes:
    size = draw(st.integers(0, 3))
    names = draw(st.lists(st.sampled_from([*NAMES, "other", "a.b"]), min_size=1, max_size=6))
    table = pyarrow.table([draw(columns(size)) for _ in names], names=names)
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


FILES: dict[str, st.SearchStrategy[bytes]] = {
    "a.jsonl": damaged(rows.map(json_lines)),
    "a.json": damaged(rows.map(lambda found: json.dumps(found, indent=1).encode())),
    "a.csv": damaged(csv_files()),
    "a.tsv.gz": damaged(csv_files().map(gzip.compress)),
    "a.csv.bz2": damaged(csv_files().map(bz2.compress)),
    "a.json.xz": damaged(rows.map(json_lines).map(lzma.compress)),
    "a.jsonl.zst": damaged(rows.map(json_lines).map(zstd)),
    "a.parquet": parquet_files(),
    "damaged.parquet": damaged(parquet_files()),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("files", FEW_AND_MANY)
@pytest.mark.parametrize("name", FILES)
def test_any_file_is_read_or_refused_with_its_name(
    name: str, files: int, tmp_path: Path, promise: Promise
) -> None:
    path, uri = tmp_path / name, f"s3://data/{name}"
    pairs = DataSource(uri=uri, pair_field="pair", score_field="score")

    @so_many(files)
    @given(FILES[name])
    def read(content: bytes) -> None:
        path.write_bytes(content)
        labelled = reading(path, several_labels=True, context=("context",), label_separator="|")
        for example in read_or_refused(lambda: list(labelled), uri):
            assert example.text.strip()
            assert example.labels
            assert "nan" not in (*example.labels, *example.context)
        compared = PairReading([FetchedSource(pairs, [SourceFile(uri, path)])])
        for pair in read_or_refused(lambda: list(compared), uri):
            assert all(pair.texts)
            assert pair.score is not None

    read()
    promise(
        "Trainer",
        "A file of data, whatever it holds, gives texts or an error with its name",
        f"{files:,} {name}",
    )


exported = st.fixed_dictionaries(
    {},
    optional={
        "text": cells,
        "id": cells,
        "annotation_id": cells,
        "label": cells,
        "data": st.fixed_dictionaries({"text": cells}) | cells,
        "annotations": cells
        | st.lists(
            cells
            | st.fixed_dictionaries(
                {"result": cells | st.lists(st.fixed_dictionaries({"from_name": cells, "value": cells}))},
                optional={"was_cancelled": cells},
            ),
            max_size=2,
        ),
        "label.responses": st.lists(cells, max_size=2) | cells,
        "label.responses.status": st.lists(st.just("submitted"), max_size=2) | cells,
    },
)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("files", FEW_AND_MANY)
@pytest.mark.parametrize("tool", ExportFormat)
def test_any_export_is_read_or_refused_with_its_name(
    tool: ExportFormat, files: int, tmp_path: Path, promise: Promise
) -> None:
    path = tmp_path / "a.jsonl"

    @so_many(files)
    @given(st.lists(exported, min_size=1, max_size=3).map(json_lines))
    def read(content: bytes) -> None:
        path.write_bytes(content)
        labelled = reading(path, several_labels=True, format=tool)
        for example in read_or_refused(lambda: list(labelled), "s3://data/a.jsonl"):
            assert example.text.strip()
            assert example.labels

    read()
    promise(
        "Trainer",
        "An export of a labelling tool, whatever it holds, gives texts or an error with its name",
        f"{files:,} of {tool}",
    )


def read_or_refused(read: Callable[[], list[Any]], uri: str) -> list[Any]:
    try:
        return read()
    except DataError as error:
        return [] if uri in str(error) else pytest.fail(f"no file in {error}")
