"""Texts and tokens on disk are what was put there."""

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from trainingrun_trainer.corpus import AT_ONCE, Corpus, Texts
from trainingrun_trainer.records import Example
from trainingrun_trainer.tokens import TokenIds, TokenWriter


def rows(count: int) -> list[Example]:
    return [
        Example(f"text {n} \u00e9", ("a", "b") if n % 3 else ("b",), (f"{n}", ""), f"source {n % 2}")
        for n in range(count)
    ]


def written(*batches: list[list[int]]) -> TokenIds:
    with TokenWriter() as writer:
        for batch in batches:
            writer.add(batch)
        return writer.tokens()


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, 2 * AT_ONCE + 7])
def test_texts_are_given_back_in_any_order(count: int) -> None:
    expected = rows(count)
    texts = Texts.of(iter(expected))
    assert len(texts) == count
    assert list(texts) == expected
    order = random.Random(1).sample(range(count), count)
    assert texts.corpus.examples(np.array(order, dtype=np.int64)) == [expected[n] for n in order]
    assert list(texts[count // 2 :]) == expected[count // 2 :]
    assert [texts[n] for n in order[:5]] == [expected[n] for n in order[:5]]


def test_memory_holds_few_texts_at_a_time() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            texts = Texts.of(Example(f"{n}".zfill(1000), ("a",)) for n in range(count))
            assert sum(len(text.labels) for text in texts) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(2 * AT_ONCE), peak(4 * AT_ONCE)
    assert (many - few) / (2 * AT_ONCE) < 100  # bytes a text; the text alone has a thousand


def test_what_is_kept_in_memory_does_not_grow_with_the_length_of_texts() -> None:
    short, long = (Corpus.store(Example(f"{n} " * times, ("a",)) for n in range(100)) for times in (1, 1000))
    assert short.keys.nbytes == long.keys.nbytes == 1600
    assert short.label_set.nbytes == long.label_set.nbytes == 400


def test_labels_are_those_of_the_chosen_texts() -> None:
    texts = Texts.of(rows(3))
    assert (texts.labels, texts[:1].labels) == ({"a", "b"}, {"b"})


def test_tokens_are_given_back_by_text() -> None:
    ids = [[1, 2], [], [3], [2**31 - 1]]
    tokens = written(ids[:1], ids[1:3], [], ids[3:])
    assert list(tokens) == ids
    assert (tokens[-1], tokens[1:3], tokens.lengths.tolist()) == (ids[-1], ids[1:3], [2, 0, 1, 1])
    assert len(written()) == 0
    assert list(written([[], []])) == [[], []]
    with pytest.raises(IndexError):
        tokens[4]


def test_files_have_no_name_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    texts, tokens = Texts.of(rows(10)), written([[1]])
    assert (len(texts), tokens[0]) == (10, [1])
    assert list(tmp_path.iterdir()) == []
