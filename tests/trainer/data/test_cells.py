"""What cells mean, in whatever format they are written."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_trainer.data import FetchedSource, PairReading
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import SourceFile

from .files import read, reading

Table = dict[str, list[Any]]


def as_jsonl(path: Path, table: Table) -> Path:
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    path = path.with_suffix(".jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def as_csv(path: Path, table: Table) -> Path:
    path = path.with_suffix(".csv")
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*table], *zip(*table.values(), strict=True)])
    return path


def as_parquet(path: Path, table: Table) -> Path:
    path = path.with_suffix(".parquet")
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    return path


each_format = pytest.mark.parametrize("write", [as_jsonl, as_csv, as_parquet])
Write = Callable[[Path, Table], Path]


@each_format
@pytest.mark.parametrize("missing", [math.nan, None])
def test_what_is_missing_is_missing_in_every_format(write: Write, missing: Any, tmp_path: Path) -> None:
    table = {"text": ["a", "b"], "label": [1.5, missing], "n": [missing, 2.5]}
    texts = reading(write(tmp_path / "a", table), context=("n",))
    assert [(one.text, one.labels, one.context) for one in texts] == [("a", ("1.5",), ("",))]
    tally = texts.tallies[0]
    assert (tally.unlabelled, tally.without_context["n"]) == (1, 1)
    assert texts.metadata.fields() == []
    texts = reading(write(tmp_path / "b", {"text": [missing, missing], "label": ["x", "y"]}))
    with pytest.raises(DataError, match="no row has both a text and a label"):
        list(texts)
    assert texts.tallies[0].empty == 2


@each_format
def test_a_score_that_is_missing_leaves_the_pair_out(write: Write, tmp_path: Path) -> None:
    table = {"text": ["a", "b", "c"], "pair": ["x", "y", "z"], "score": [0.5, math.nan, None]}
    path = write(tmp_path / "a", table)
    source = DataSource(uri=path.as_uri(), pair_field="pair", score_field="score")
    pairs = PairReading([FetchedSource(source, [SourceFile(path.as_uri(), path)])])
    assert [pair.score for pair in pairs] == [0.5]
    assert pairs.tallies[0].unlabelled == 2


@pytest.mark.parametrize("written", ["NaN", " nan ", "<NA>", "", " \t", "\u200b", "\u00a0\u200e"], ids=ascii)
def test_words_of_programs_for_nothing_are_nothing(written: str, tmp_path: Path) -> None:
    table = {"text": ["a", "b", "c"], "label": ["x", written, "none"]}
    assert read(as_csv(tmp_path / "a", table)) == [("a", ("x",)), ("c", ("none",))]


@pytest.mark.parametrize(
    "blank",
    ["\u200b", "\u200d\ufeff \u2060", "\u200e\u202c", "\u3164", "\x00\x07", "\ufe0f", "\u2800", "\U000e0020"],
)
def test_a_text_without_a_character_that_shows_is_no_text(blank: str, tmp_path: Path) -> None:
    texts = reading(as_jsonl(tmp_path / "a", {"text": [blank, f"{blank}ok"], "label": ["x", "x"]}))
    assert [one.text for one in texts] == [f"{blank}ok"]
    assert texts.tallies[0].empty == 1


LISTS = [
    "['billing', 'urgent']",
    '["billing", "urgent"]',
    ' ["urgent", "billing", null, "billing"] ',
    "('billing', 'urgent')",
    "{'billing', 'urgent'}",
    '{"choices": ["billing", "urgent"]}',
    "{'choices': ['billing', 'urgent']}",
    {"choices": ["billing", "urgent"]},
    ["billing", "urgent"],
]


@pytest.mark.parametrize("cell", LISTS)
def test_a_list_is_several_labels_however_it_is_written(cell: object, tmp_path: Path) -> None:
    table = {"text": ["late", "ok"], "label": [cell, "urgent"]}
    several = read(as_jsonl(tmp_path / "a", table), several_labels=True)
    assert several == [("late", ("billing", "urgent")), ("ok", ("urgent",))]
    with pytest.raises(DataError, match=r"a.jsonl, line 1: field 'label' holds 2 labels \('billing', 'u"):
        read(as_jsonl(tmp_path / "a", table))


def test_lists_are_labels_in_csv_and_parquet_too(tmp_path: Path) -> None:
    expected = [("late", ("billing", "urgent")), ("ok", ("urgent",))]
    table = {"text": ["late", "ok"], "label": [LISTS[0], "urgent"]}
    for write in (as_csv, as_parquet):
        assert read(write(tmp_path / "a", table), several_labels=True) == expected
    choices = {"text": ["late", "ok"], "label": [{"choices": ["billing", "urgent"]}, {"choices": ["urgent"]}]}
    assert read(as_parquet(tmp_path / "b", choices), several_labels=True) == expected


@pytest.mark.parametrize(
    ("cell", "held"),
    [
        ({"billing": 1}, "an object"),
        ('{"billing": 1, "urgent": 0}', "an object"),
        ({"choices": ["a"], "id": 1}, "an object"),
        ([["billing"]], "a list"),
        (["['billing']"], "\"['billing']\" inside a list"),
        ("['billing' 'urgent']", "\"['billing' 'urgent']\", neither JSON nor"),
        ("['billing', 'urg", "\"['billing', 'urg\", neither JSON nor"),
        ("['billing', nan]", "\"['billing', nan]\", neither JSON nor"),
        ("[billing, urgent]", "'[billing, urgent]', neither JSON nor"),
        ("[" * 5000 + "'a'" + "]" * 5000, "neither JSON"),
    ],
    ids=map(str, range(11)),
)
@pytest.mark.parametrize("several_labels", [False, True])
def test_other_lists_and_objects_are_no_labels(
    cell: object, held: str, several_labels: bool, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        read(as_jsonl(tmp_path / "a", {"text": ["late"], "label": [cell]}), several_labels=several_labels)
    assert str(caught.value).startswith("s3://data/a.jsonl, line 1: field 'label' holds ")
    assert held in str(caught.value)
    assert 'where a label belongs; write the label alone ("billing"), several as a list ([' in str(
        caught.value
    )


@pytest.mark.parametrize(
    "label", ["[urgent]", "[urgent] billing", "(a, b)", "{x}", "a, b", "[A] x, [B]", "'a', 'b'", "(1)"]
)
def test_labels_in_brackets_are_labels_like_any(label: str, tmp_path: Path) -> None:
    assert read(as_jsonl(tmp_path / "a", {"text": ["late"], "label": [label]})) == [("late", (label,))]


def test_a_list_of_one_is_one_label_and_one_of_none_is_no_label(tmp_path: Path) -> None:
    table = {"text": ["late", "ok", "no"], "label": ["['billing']", "[]", '{"choices": []}']}
    texts = reading(as_csv(tmp_path / "a", table))
    assert [(one.text, one.labels) for one in texts] == [("late", ("billing",))]
    assert texts.tallies[0].unlabelled == 2
