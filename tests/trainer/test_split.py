"""What holds for every split."""

from collections import Counter

import pytest

from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import Example
from trainingrun_trainer.split import split


def examples(**sizes: int) -> list[Example]:
    return [Example(f"{label} {n}", (label,)) for label, size in sizes.items() for n in range(size)]


def keys(part: list[Example]) -> set[str]:
    return {example.key for example in part}


@pytest.mark.parametrize("percent", [50, 80, 95])
def test_the_share_holds_for_each_label(percent: int) -> None:
    parts = split(examples(a=100, b=40, c=7), percent, seed=7)
    trained = Counter(example.label for example in parts.training)
    for label, size in {"a": 100, "b": 40, "c": 7}.items():
        assert abs(trained[label] - size * percent / 100) <= max(0.5, percent == 95 and size == 7)


def test_every_label_with_two_texts_is_on_both_sides() -> None:
    parts = split(examples(a=50, b=2, c=1), 95, seed=7)
    assert {example.label for example in parts.training} == {"a", "b", "c"}
    assert {example.label for example in parts.evaluation} == {"a", "b"}
    assert parts.labels == ["a", "b", "c"]


def test_copies_of_one_text_stay_on_one_side() -> None:
    texts = examples(a=30, b=30)
    parts = split([*texts, *(Example(text.text.upper(), text.labels) for text in texts)], 80, seed=7)
    assert len(parts.training) + len(parts.evaluation) == 120
    assert keys(parts.training).isdisjoint(keys(parts.evaluation))


def test_order_of_rows_does_not_matter_but_the_seed_does() -> None:
    texts = examples(a=30, b=30)
    assert split(texts, 80, seed=7) == split(texts[::-1], 80, seed=7)
    assert keys(split(texts, 80, seed=7).evaluation) != keys(split(texts, 80, seed=8).evaluation)


def test_new_rows_hardly_move_the_others() -> None:
    before = keys(split(examples(a=100, b=100), 80, seed=7).evaluation)
    after = keys(split(examples(a=105, b=105), 80, seed=7).evaluation)
    assert len(before - after) <= 10


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (examples(a=9), "all texts have the label 'a'"),
        (examples(a=1, b=1), "nothing is left to evaluate on"),
        ([], "there is no labelled text"),
    ],
)
def test_what_cannot_be_split_is_refused(texts: list[Example], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(texts, 80, seed=7)
