"""What holds for every split."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from trainingrun_trainer.corpus import Splits, Texts
from trainingrun_trainer.dedup import find_duplicates
from trainingrun_trainer.errors import DataError
from trainingrun_trainer.records import Example
from trainingrun_trainer.split import split


def examples(**sizes: int) -> list[Example]:
    return [Example(f"{label} {n}", (label,)) for label, size in sizes.items() for n in range(size)]


def parts_of(rows: Iterable[Example], percent: int = 80, seed: int = 7) -> Splits:
    texts = Texts.of(rows)
    return split(texts, find_duplicates(texts.corpus, 0.8).group, percent, seed)


def keys(part: Sequence[Example]) -> set[str]:
    return {example.key for example in part}


def sets_of_labels(size: int, seed: int = 1) -> list[Example]:
    """Texts with one to four of twenty labels, the last of which are rare."""
    source = random.Random(seed)
    return [
        Example(
            f"{n}",
            tuple(
                sorted({f"{min(int(source.expovariate(0.3)), 19):02d}" for _ in range(source.randint(1, 4))})
            ),
        )
        for n in range(size)
    ]


def counted(part: Sequence[Example]) -> Counter[str]:
    return Counter(label for example in part for label in example.labels)


@pytest.mark.parametrize("percent", [50, 80, 95])
def test_the_share_holds_for_each_label(percent: int) -> None:
    trained = counted(parts_of(examples(a=100, b=40, c=7), percent).training)
    for label, size in {"a": 100, "b": 40, "c": 7}.items():
        assert abs(trained[label] - size * percent / 100) <= max(0.5, percent == 95 and size == 7)


def test_every_label_with_two_texts_is_on_both_sides() -> None:
    parts = parts_of(examples(a=50, b=2, c=1), 95)
    assert {example.label for example in parts.training} == {"a", "b", "c"}
    assert {example.label for example in parts.evaluation} == {"a", "b"}
    assert parts.labels == ["a", "b", "c"]


def test_a_label_is_on_both_sides_though_one_of_its_two_texts_is_a_near_copy_of_anothers() -> None:
    rows = [
        Example("my parcel from the shop has not arrived", ("a",)),
        Example("where is it", ("a",)),
        Example("my parcel from the shop has not arrived!", ("b",)),
        *examples(b=8, c=9),
    ]
    texts = Texts.of([*rows, *(Example(f"more {n}", ("c",)) for n in range(3))])
    groups = find_duplicates(texts.corpus, 0.8).group
    for seed in range(60):
        parts, added = (split(texts[:size], groups[:size], 80, seed) for size in (len(rows), len(texts)))
        assert parts.training.labels == parts.evaluation.labels == {"a", "b", "c"}
        moved = keys(parts.evaluation).symmetric_difference(keys(added.evaluation))
        assert all(key.startswith(("c", "more")) for key in moved)


def test_a_label_is_not_evaluated_only_where_training_would_lose_one_by_it() -> None:
    """Or where all its texts hang together."""
    missing = 0
    for seed in range(200):
        texts, groups = texts_that_hang_together(seed)
        parts = split(texts, groups, 80, seed)
        assert parts.training.labels == texts.labels
        trained = groups_of_labels(parts.training, groups)
        for label in texts.labels - parts.evaluation.labels:
            last = {group for found in trained.values() if len(found) == 1 for group in found}
            assert trained[label] <= last
            missing += 1
    assert missing > 20


def texts_that_hang_together(seed: int) -> tuple[Texts, NDArray[np.int64]]:
    """Texts of six labels; every eighth is in the group of one before it, whatever the label of that."""
    source = random.Random(seed)
    texts = Texts.of(examples(**{label: source.choice([1, 2, 2, 3, 20]) for label in "abcdef"}))
    groups = [source.randrange(n) if n and source.random() < 1 / 8 else n for n in range(len(texts))]
    return texts, np.array(groups)


def groups_of_labels(part: Texts, groups: NDArray[np.int64]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {label: set() for label in part.labels}
    for example, group in zip(part, groups[part.rows].tolist(), strict=True):
        found[example.label].add(group)
    return found


def test_duplicates_of_one_text_stay_on_one_side() -> None:
    texts = examples(a=30, b=30)
    parts = parts_of([*texts, *(Example(text.text.upper(), text.labels) for text in texts)])
    assert len(parts.training) + len(parts.evaluation) == 120
    assert keys(parts.training).isdisjoint(keys(parts.evaluation))


def test_near_duplicates_of_one_text_stay_on_one_side_whatever_their_labels() -> None:
    source = random.Random(1)
    rows = []
    for n in range(200):
        text = " ".join("".join(source.choices("abcdefghij", k=6)) for _ in range(8))
        rows += [Example(f"{n} {text}", (f"{n % 3}",)), Example(f"{text} {n}", (f"{n % 5}",))]
    parts = parts_of(rows)
    trained = {one for example in parts.training for one in example.text.split() if one.isdigit()}
    assert len(parts.evaluation) == pytest.approx(80, abs=4)
    assert not any(trained.intersection(example.text.split()) for example in parts.evaluation)


def test_order_of_rows_does_not_matter_but_the_seed_does() -> None:
    texts = examples(a=30, b=30) + sets_of_labels(200)
    assert keys(parts_of(texts).evaluation) == keys(parts_of(texts[::-1]).evaluation)
    assert keys(parts_of(texts).evaluation) != keys(parts_of(texts, seed=8).evaluation)


@pytest.mark.parametrize("more", [1, 5, 40])
def test_more_texts_of_a_label_move_at_most_as_many_of_it_and_none_of_others(more: int) -> None:
    def sides(size: int, seed: int) -> tuple[set[str], set[str]]:
        parts = parts_of(examples(a=size, b=100), seed=seed)
        return keys(parts.training), keys(parts.evaluation)

    moved = []
    for seed in range(20):
        (trained, evaluated), (trained_then, evaluated_then) = sides(100, seed), sides(100 + more, seed)
        changed = (trained & evaluated_then) | (evaluated & trained_then)
        assert not any(key.startswith("b") for key in changed)
        moved.append(len(changed))
    assert max(moved) <= more
    assert sum(moved) / len(moved) <= max(1, more / 8)


def test_labels_of_texts_with_several_come_near_the_share_each() -> None:
    rows = sets_of_labels(2000)
    trained, total = counted(parts_of(rows).training), counted(rows)
    assert len(total) == 20
    assert len(set(total.values())) > 10
    for label, count in total.items():
        assert abs(trained[label] / count - 0.8) < 0.03 + 2 / count, label


def test_rare_sets_of_labels_are_on_both_sides() -> None:
    common = [Example(f"common {n}", ("a",)) for n in range(100)]
    rare = [Example(f"rare {n}", ("a", f"{n % 50}")) for n in range(100)]
    parts = parts_of(common + rare, 80)
    assert counted(parts.training).keys() == counted(parts.evaluation).keys()


def test_more_texts_with_several_labels_move_few_others() -> None:
    rows = sets_of_labels(1000)
    before = keys(parts_of(rows[:950]).evaluation)
    after = keys(parts_of(rows).evaluation)
    assert len(before - after) < 20


def test_every_label_is_trained_be_it_that_none_is_left_to_evaluate_it_on() -> None:
    rows = [
        Example("x", ("a", "m")),
        Example("y", ("m", "b")),
        Example("z", ("b", "n")),
        Example("w", ("n", "a")),
    ]
    for seed in range(20):
        parts = parts_of(rows, 50, seed)
        assert parts.training.labels == {"a", "b", "m", "n"}
    single = [Example("p", ("l", "a")), Example("q", ("l", "b")), *examples(c=9)]
    assert parts_of(single).evaluation.labels == {"c"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (examples(a=9), "all texts have the label 'a'"),
        (examples(a=1, b=1), "there is nothing to evaluate on"),
        ([], "there is no labelled text"),
    ],
)
def test_what_cannot_be_split_is_refused(texts: list[Example], message: str) -> None:
    with pytest.raises(DataError, match=message):
        parts_of(texts)
