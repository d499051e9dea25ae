"""Rows that are left out by a field of theirs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.row_filter import RowFilter
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.data import FetchedSource, PairReading
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import SourceFile

from ..conftest import changed, tickets, write_jsonl
from .files import reading

NOT_REJECTED = RowFilter(field="answer", exclude=["reject", "ignore"])
ACCEPTED = RowFilter(field="answer", include=["accept"])

ROWS: list[dict[str, Any]] = [
    {"text": "late", "label": "a", "answer": "accept"},
    {"text": 3, "label": {"b": 1}, "answer": "reject"},
    {"label": "a", "answer": " ignore "},
    {"text": "card", "label": "b"},
    {"text": "code", "label": "b", "answer": None},
]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    write_jsonl(path / "a.jsonl", rows)
    return path / "a.jsonl"


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [(NOT_REJECTED, ["late", "card", "code"]), (ACCEPTED, ["late"])],
    ids=["exclude", "include"],
)
def test_rows_are_left_out_by_a_field_whatever_else_they_hold(
    chosen: RowFilter, kept: list[str], tmp_path: Path
) -> None:
    texts = reading(written(tmp_path, ROWS), filter=chosen)
    assert [one.text for one in texts] == kept
    tally = texts.tallies[0]
    assert (tally.read, tally.rows_filtered, tally.empty, tally.used) == (5, 5 - len(kept), 0, len(kept))
    assert all("reject" not in field.values for field in texts.metadata.fields())


@pytest.mark.parametrize("value", [True, 1, 1.5, "true"])
def test_numbers_and_truth_values_are_named_as_they_are_written(value: object, tmp_path: Path) -> None:
    rows = [
        {"text": "a", "label": "x", "meta": {"ok": value}},
        {"text": "b", "label": "x", "meta": {"ok": 0}},
    ]
    chosen = RowFilter(field="meta.ok", include=["true", "1", "1.5"])
    assert [one.text for one in reading(written(tmp_path, rows), filter=chosen)] == ["a"]


def test_pairs_are_left_out_in_the_same_way(tmp_path: Path) -> None:
    path = written(
        tmp_path, [{"text": "a", "pair": "b", "answer": a} for a in ("accept", "reject", "ignore")]
    )
    source = DataSource(uri=path.as_uri(), pair_field="pair", filter=ACCEPTED)
    pairs = PairReading([FetchedSource(source, [SourceFile(path.as_uri(), path)])])
    assert (len(list(pairs)), pairs.tallies[0].rows_filtered) == (1, 2)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            RowFilter(field="anwser", exclude=["reject"]),
            r"a.jsonl: no row has the field 'anwser'; there are 'answer', .*Correct spec.dataset.filter.fi",
        ),
        (
            RowFilter(field="answer", include=["yes"]),
            r"spec.dataset.filter leaves out all rows; in 'answer' there are 'accept'",
        ),
    ],
)
def test_a_filter_that_does_not_fit_the_data_is_refused(
    chosen: RowFilter, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        list(reading(written(tmp_path, ROWS[:1]), filter=chosen))


def test_a_field_that_holds_no_single_value_is_refused(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x", "answer": ["reject"]}]
    message = r"line 1: field 'answer' holds a list where one value belongs; .* in spec.dataset.filter.field"
    with pytest.raises(DataError, match=message):
        list(reading(written(tmp_path, rows), filter=NOT_REJECTED))


def test_a_value_that_no_row_has_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chosen = RowFilter(field="answer", exclude=["reject", "rejected"])
    texts = reading(written(tmp_path, [ROWS[0], ROWS[1]]), filter=chosen)
    with caplog.at_level(logging.WARNING):
        assert len(list(texts)) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "spec.dataset.filter: no row has 'rejected' in 'answer'; there are 'accept', 'reject'"
    ]


def test_a_run_counts_them_and_advises_where_there_is_no_filter(config: RunConfig, tmp_path: Path) -> None:
    rejected = [{"text": f"wrong {n}", "label": "billing", "answer": "reject"} for n in range(10)]
    rows = [*({**ticket, "answer": "accept"} for ticket in tickets()), *rejected]
    uri = write_jsonl(tmp_path / "marked.jsonl", rows)
    found = {}
    for name, chosen in {"filtered": NOT_REJECTED, "all": None}.items():
        out = tmp_path / name
        source = DataSource(uri=uri, filter=chosen)
        run = changed(config, dataset=source, output_prefix=out.as_uri(), training={"max_epochs": 1})
        pipeline.run(run, lambda report: None)
        found[name] = Evaluation.model_validate_json((out / "evaluation.json").read_text())
        assert json.loads((out / "run.json").read_text())["config"]["dataset"]["uri"] == uri
    counts, types = found["filtered"].data, [finding.type for finding in found["filtered"].advice]
    assert (counts.read, counts.rows_filtered, counts.sources[0].rows_filtered) == (70, 10, 10)
    assert (counts.training + counts.evaluation, "RejectedRows" in types) == (60, False)
    (finding,) = (finding for finding in found["all"].advice if finding.type == "RejectedRows")
    assert finding.message.startswith("10 of 70 texts examined have 'reject' in 'answer'")
