"""What a user gets for Parquet files as they are."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
from datasets import ClassLabel, Features, List, Value

from trainingrun_trainer.errors import DataError

from .files import read, read_table, reading

BEYOND = pyarrow.array([2**62], pyarrow.timestamp("us", "Europe/Berlin"))
NOT_TEXT = pyarrow.array([b"\xff\xfe"]).cast(pyarrow.binary()).view(pyarrow.string())


@pytest.mark.parametrize(
    "column",
    [
        BEYOND,
        NOT_TEXT,
        pyarrow.array([date(9999, 12, 31)]),
        pyarrow.array(
            [datetime(9999, 12, 31, 23, 59, tzinfo=UTC)], pyarrow.timestamp("ms", "America/New_York")
        ),
        pyarrow.array([{"at": 2**62}], pyarrow.struct({"at": pyarrow.timestamp("us", "UTC")})),
        pyarrow.array([[("a", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
    ],
)
def test_columns_that_nobody_asked_for_may_hold_anything(column: pyarrow.Array, tmp_path: Path) -> None:
    table = {"text": ["late"], "label": ["a"], "other": column, "team": ["x"]}
    assert read_table(tmp_path / "a.parquet", table) == [("late", ("a",))]


@pytest.mark.parametrize(
    ("name", "column", "held"),
    [
        ("text", BEYOND, "a timestamp[us, tz=Europe/Berlin] where a text belongs"),
        ("label", BEYOND, "a timestamp[us, tz=Europe/Berlin] where a label belongs"),
        ("channel", BEYOND, "a timestamp[us, tz=Europe/Berlin] where one value belongs"),
        ("text", pyarrow.array([b"a"]), "a binary where a text belongs"),
        ("label", pyarrow.array([[{"a": 1}]]), "an object where a label belongs"),
    ],
)
def test_a_column_of_another_type_is_refused_where_it_is_used(
    name: str, column: pyarrow.Array, held: str, tmp_path: Path
) -> None:
    table: dict[str, Any] = {"text": ["late"], "label": ["a"], "channel": ["x"]} | {name: column}
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "a.parquet", table, context=("channel",))
    assert f"s3://data/a.parquet, row 1: field {name!r} holds {held}" in str(caught.value)


@pytest.mark.parametrize("name", ["text", "label", "channel"])
def test_a_cell_that_is_not_in_utf_8_is_told_with_its_row(name: str, tmp_path: Path) -> None:
    table: dict[str, Any] = {"text": ["late"] * 5000, "label": ["a"] * 5000, "channel": ["x"] * 5000}
    table[name] = pyarrow.array([b"late"] * 4998 + [b"caf\xe9", b"a"]).view(pyarrow.string())
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "a.parquet", table, context=("channel",))
    assert str(caught.value) == (
        f"s3://data/a.parquet, row 4999: column {name!r} holds a text that is not in UTF-8 (byte 0xe9); "
        "correct it"
    )


def test_a_column_of_which_there_are_two_is_refused(tmp_path: Path) -> None:
    table = pyarrow.table([["a"], ["b"], ["c"]], names=["text", "label", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(
        DataError, match=r"a.parquet: column 'text' stands there twice; give each column a nam"
    ):
        read(tmp_path / "a.parquet")


def test_what_is_not_read_is_listed_where_the_text_is_missing(tmp_path: Path) -> None:
    table = {"body": ["a"], "at": BEYOND, "meta": [{"id": 1, "tags": ["x"]}]}
    with pytest.raises(
        DataError, match=r"'text' is missing; there are 'at', 'body', 'meta.id', 'meta.tags'. Name"
    ):
        read_table(tmp_path / "a.parquet", table)


def test_fields_with_few_values_are_known_beside_the_texts(tmp_path: Path) -> None:
    columns = {
        "id": [str(n) for n in range(6000)],
        "text": [f"text {n}" for n in range(6000)],
        "label": ["a", "b"] * 3000,
        "meta": [{"team": "x" if n % 2 else "y", "hash": n} for n in range(6000)],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    texts = reading(tmp_path / "a.parquet")
    assert sum(1 for _ in texts) == 6000
    (team,) = texts.metadata.fields()
    assert (team.name, team.tells()) == ("meta.team", 1)


def test_numbers_of_classes_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    topic = ClassLabel(names=["billing", "login"])
    features = Features(
        {"text": Value("string"), "label": topic, "tags": List(topic), "meta": {"topic": topic}}
    )
    rows: dict[str, list[Any]] = {
        "text": ["a", "b", "c", "d"],
        "label": [1, 0, -1, None],
        "tags": [[0, 1], [1], [], None],
        "meta": [{"topic": 0}, {"topic": 1}, {"topic": None}, {"topic": -1}],
    }
    datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [("a", ("login",)), ("b", ("billing",))]
    several = read(tmp_path / "a.parquet", label_field="tags", several_labels=True)
    assert several == [("a", ("billing", "login")), ("b", ("login",))]
    first = read(tmp_path / "a.parquet", label_field="tags[0]")
    assert first == [("a", ("billing",)), ("b", ("login",))]
    nested = read(tmp_path / "a.parquet", label_field="meta.topic")
    assert nested == [("a", ("billing",)), ("b", ("login",))]


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"info": {"features": {"label": {"_type": "Value"}}}}'])
def test_other_metadata_say_nothing_of_classes(metadata: bytes, tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a"], "label": [1]}).replace_schema_metadata({b"huggingface": metadata})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [("a", ("1",))]


def test_a_class_without_a_name_is_told_with_its_row(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b"])})
    known = datasets.Dataset.from_dict({"text": ["a"], "label": [1]}, features)
    known.to_parquet(tmp_path / "a.parquet")
    metadata = pyarrow.parquet.read_schema(tmp_path / "a.parquet").metadata
    table = pyarrow.table({"text": ["a", "b"], "label": [1, 2]}).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(
        DataError, match=r"a.parquet, row 2: column 'label' holds 2, and its classes are 0 to 1"
    ):
        read(tmp_path / "a.parquet")


def test_decimals_are_numbers_and_categories_are_texts(tmp_path: Path) -> None:
    category = pyarrow.array(["a", None]).dictionary_encode()
    assert read_table(tmp_path / "a.parquet", {"text": ["x", "y"], "label": category}) == [("x", ("a",))]
    decimal = pyarrow.array([Decimal("1.50")])
    assert read_table(tmp_path / "b.parquet", {"text": ["x"], "label": decimal}) == [("x", ("1.50",))]
