"""Rows of texts that are compared: reading, duplicates, and the division into two parts."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_trainer.corpus import AT_ONCE
from trainingrun_trainer.data import FetchedSource, PairReading
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.pairs import Pairs, deduplicate_pairs, split_pairs
from trainingrun_trainer.records import Pair, SourceFile, text_key

from ..conftest import write_jsonl

SCORED = {"text_field": "a", "pair_field": "b", "score_field": "score"}


def read(path: Path, rows: list[Any], **fields: str) -> tuple[list[Pair], PairReading]:
    uri = write_jsonl(path / "pairs.jsonl", rows)
    source = DataSource(uri=uri, **fields)
    reading = PairReading([FetchedSource(source, [SourceFile(uri, path / "pairs.jsonl")])])
    return list(reading), reading


def test_rows_are_read_with_their_scores_and_those_that_lack_something_are_counted(tmp_path: Path) -> None:
    rows = [
        {"a": "one", "b": "two", "score": 0.5},
        {"a": "one", "b": "three", "score": "4"},
        {"a": "", "b": "two", "score": 1},
        {"a": "one", "b": "two", "score": None},
    ]
    found, reading = read(tmp_path, rows, **SCORED)
    assert [(row.texts, row.score) for row in found] == [(("one", "two"), 0.5), (("one", "three"), 4.0)]
    (tally,) = reading.tallies
    assert (tally.read, tally.empty, tally.unlabelled, tally.used) == (4, 1, 1, 2)


def test_triplets_have_a_text_to_be_told_from(tmp_path: Path) -> None:
    rows = [{"text": "a", "near": "b", "far": "c"}]
    found, _ = read(tmp_path, rows, pair_field="near", negative_field="far")
    assert found[0].texts == ("a", "b", "c")
    assert found[0].score is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": "x", "b": "y", "score": "high"}, "line 1: field 'score' holds 'high' where a number belongs"),
        ({"a": "x", "b": "y", "score": True}, "where a number belongs"),
        ({"a": "x", "b": "y", "score": "inf"}, "where a number belongs"),
        ({"a": "x", "score": 1}, r"field 'b' is missing.*spec\.dataset\.pairField"),
        ({"a": "x", "b": 3, "score": 1}, r"holds a number where a text belongs.*pairField"),
        ({"a": "x", "b": "y", "score": None}, "no row has all of 'a', 'b', 'score'"),
    ],
)
def test_rows_that_are_no_pairs_are_refused(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, [row], **SCORED)


def test_duplicates_count_once_with_the_mean_of_their_scores() -> None:
    rows = [
        Pair(("One", "two"), 1.0),
        Pair(("two", "one "), 1.0),
        Pair(("one", "TWO"), 4.0),
        Pair(("one", "three"), 3.0),
    ]
    unique = deduplicate_pairs(Pairs.of(rows))
    assert [(row.texts, row.score) for row in unique.rows] == [(("One", "two"), 2.0), (("one", "three"), 3.0)]
    assert (unique.duplicates, unique.conflicts) == (1, 1)
    ordered = [Pair(("a", "b")), Pair(("b", "a")), Pair(("A", "b"))]
    assert len(deduplicate_pairs(Pairs.of(ordered)).rows) == 2


def texts(rows: Pairs) -> set[bytes]:
    return {text_key(text) for row in rows for text in row.texts}


def chains(count: int, step: int = 1) -> Pairs:
    """Pairs that hang together in threes."""
    rows = [
        Pair(pair)
        for n in range(count)
        for pair in ((f"a{n}", f"b{n}"), (f"B{n} ", f"c{n}"), (f"d{n}", f"C{n}"))
    ]
    return Pairs.of(rows[::step])


def test_no_text_stands_on_both_sides() -> None:
    splits = split_pairs(chains(20), train_percent=80, seed=7)
    assert (len(splits.training), len(splits.evaluation), splits.texts_shared) == (48, 12, False)
    assert texts(splits.training).isdisjoint(texts(splits.evaluation))
    other_order = split_pairs(chains(20, step=-1), 80, seed=7)
    assert list(other_order.evaluation) == list(splits.evaluation)[::-1]
    assert texts(split_pairs(chains(20), 80, seed=8).evaluation) != texts(splits.evaluation)


def test_rows_are_on_disk_and_come_back_as_they_were() -> None:
    given = [Pair((f"a{n}", f"b {n}"), n / 4, f"source {n % 2}") for n in range(AT_ONCE + 3)]
    rows = Pairs.of(iter(given))
    assert list(rows) == given
    assert list(rows[AT_ONCE:]) == given[AT_ONCE:]
    assert rows[5] == given[5]
    assert rows.source_counts() == {"source 0": AT_ONCE // 2 + 2, "source 1": AT_ONCE // 2 + 1}
    assert [example.text for example in rows.texts()[:4]] == ["a0", "b 0", "a1", "b 1"]


@pytest.mark.slow
def test_memory_holds_few_rows_at_a_time() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            text = "long " * 200
            rows = Pairs.of(Pair((f"{n} {text}", f"{n + 1} {text}")) for n in range(count))
            assert split_pairs(deduplicate_pairs(rows).rows, 80, seed=1).texts_shared
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(2 * AT_ONCE), peak(4 * AT_ONCE)
    assert (many - few) / (2 * AT_ONCE) < 500  # bytes a row; its texts alone have two thousand


def test_more_rows_do_not_move_the_others() -> None:
    before, after = (split_pairs(chains(count), 80, seed=7) for count in (40, 44))
    moved = texts(before.training) & texts(after.evaluation)
    assert len(moved) <= 4 * 4


def test_rows_that_all_hang_together_are_divided_by_their_first_texts() -> None:
    rows = Pairs.of(Pair((f"question {n % 10}", f"answer {n % 7}")) for n in range(60))
    splits = split_pairs(rows, train_percent=80, seed=7)
    assert splits.texts_shared
    first = [{row.texts[0] for row in part} for part in (splits.training, splits.evaluation)]
    assert first[0].isdisjoint(first[1])
    with pytest.raises(DataError, match="all 3 rows have the same first text"):
        split_pairs(Pairs.of(Pair(("a", f"b{n}")) for n in range(3)), 80, seed=7)
