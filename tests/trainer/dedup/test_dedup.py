"""Duplicates, near-duplicates and contradictions."""

import random
import unicodedata

import numpy as np
import pytest

from trainingrun_trainer.corpus import Texts
from trainingrun_trainer.dedup import Deduplicated, deduplicate, find_duplicates, without_duplicates_of
from trainingrun_trainer.dedup.shingles import band_length, shingle_set, shingles
from trainingrun_trainer.records import Example, normalised

LETTERS = "abcdefghijklmnopqrstuvwxyz    "


def deduplicated(*rows: tuple[str, str], skip: bool = True, near: float = 0.8) -> Deduplicated:
    """The rows are texts, each with its labels, one a character."""
    texts = Texts.of(Example(text, tuple(labels)) for text, labels in rows)
    return deduplicate(texts, find_duplicates(texts.corpus, near), skip=skip, skip_near=skip and near < 1)


def kept(unique: Deduplicated) -> list[tuple[str, str]]:
    return [(example.text, "".join(example.labels)) for example in unique.texts]


def counts(unique: Deduplicated) -> tuple[int, int, int, int]:
    return tuple(
        map(
            len, (unique.duplicates, unique.conflicts, unique.near_duplicates, unique.near_conflicts)
        )
    )  # fmt: skip


def random_text(source: random.Random, length: int) -> str:
    return "".join(source.choice(LETTERS) for _ in range(length))


def jaccard(one: str, other: str) -> float:
    first, second = shingle_set(normalised(one)), shingle_set(normalised(other))
    return len(first & second) / len(first | second)


def test_duplicates_differ_in_case_width_and_white_space_only() -> None:
    unique = deduplicated(("Late  parcel", "a"), ("\uff4cate\nPARCEL ", "a"), ("late", "a"))
    assert kept(unique) == [("Late  parcel", "a"), ("late", "a")]
    assert counts(unique) == (1, 0, 0, 0)


def test_plain_letters_are_folded_as_all_others_are() -> None:
    every = "".join(map(chr, range(128)))
    for text in (every, every.upper(), *(f"a{character}b" for character in every)):
        assert normalised(text) == " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def test_the_label_of_most_duplicates_is_kept() -> None:
    unique = deduplicated(("x", "a"), ("X", "b"), ("x ", "b"))
    assert kept(unique) == [("X", "b")]
    assert counts(unique) == (1, 1, 0, 0)


def test_the_first_label_is_kept_on_a_tie() -> None:
    unique = deduplicated(("x", "b"), ("x", "a"))
    assert kept(unique) == [("x", "b")]
    assert counts(unique) == (0, 1, 0, 0)


def test_texts_in_different_context_are_no_duplicates_but_stay_together() -> None:
    rows = [Example("Is it late?", (label,), (place,)) for label, place in ("ax", "bx", "by", "by", "ax")]
    more = [Example("Is it late??", (label,), (place,)) for label, place in ("by", "az")]
    texts = Texts.of([*rows, *more])
    duplicates = find_duplicates(texts.corpus, 0.5)
    unique = deduplicate(texts, duplicates, skip=True, skip_near=True)
    assert [(e.text, *e.labels, *e.context) for e in unique.texts] == [
        ("Is it late?", "a", "x"),
        ("Is it late?", "b", "y"),
        ("Is it late??", "a", "z"),
    ]
    assert counts(unique) == (2, 1, 1, 0)
    assert len(set(duplicates.group.tolist())) == 1


def test_duplicates_are_counted_when_they_are_kept_too() -> None:
    rows = [("x", "a"), ("y", "b"), ("X", "b"), ("x ", "a")]
    unique = deduplicated(*rows, skip=False)
    assert kept(unique) == rows
    assert counts(unique) == (1, 1, 0, 0)


def test_of_near_duplicates_with_the_same_labels_the_first_is_kept() -> None:
    rows = [
        ("my parcel from the shop has not arrived", "a"),
        ("My parcel from the shop hasn't arrived!", "a"),
        ("my parcel from the shop has arrived", "b"),
        ("I can not log in", "c"),
    ]
    unique = deduplicated(*rows, near=0.7)
    assert kept(unique) == [rows[0], rows[2], rows[3]]
    assert counts(unique) == (0, 0, 1, 1)
    assert kept(deduplicated(*rows, near=1.0)) == rows


def test_near_duplicates_are_texts_of_any_language_and_length() -> None:
    rows = [
        ("荷物がまだ届いていませんので確認してください", "a"),
        ("荷物がまだ届いていませんので確認して下さい", "a"),
        ("", "a"),
        ("a", "a"),
    ]
    assert counts(deduplicated(*rows, near=0.6)) == (0, 0, 1, 0)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_pairs_from_the_threshold_on_are_found_and_no_others(threshold: float) -> None:
    source = random.Random(1)
    pairs = []
    for _ in range(400):
        text = random_text(source, 80)
        start = source.randrange(60)
        pairs.append((text, text[:start] + random_text(source, source.randrange(1, 20)) + text[start:]))
    texts = Texts.of(Example(text, ("a",)) for pair in pairs for text in pair)
    group = find_duplicates(texts.corpus, threshold).group
    found = group[0::2] == group[1::2]
    wanted = np.array([jaccard(*pair) >= threshold for pair in pairs])
    assert not (found & ~wanted).any()
    assert (found & wanted).sum() >= 0.97 * wanted.sum() > 0
    assert len(np.unique(group)) == 800 - found.sum()


def test_bands_are_as_long_as_the_threshold_allows() -> None:
    assert [band_length(threshold) for threshold in (0.5, 0.8, 0.9, 1.0)] == [3, 6, 10, 128]


def test_hashed_shingles_are_those_of_the_text() -> None:
    texts = ["late parcel", "", "a", "\U0001f600 ok", "aaaaaaaa"]
    hashes, offsets = shingles(texts)
    parts = np.split(hashes, offsets[1:-1].astype(int))
    assert [len(set(part.tolist())) for part in parts] == [len(shingle_set(text)) for text in texts]
    assert not set(parts[0].tolist()) & set(parts[3].tolist())


def test_texts_that_others_are_duplicates_of_are_found() -> None:
    texts = Texts.of(
        Example(text, ("a",)) for text in ("One ", "two", "my parcel is late", "one", "My parcel is late!")
    )
    duplicates = find_duplicates(texts.corpus, 0.8)
    rest, leaked = without_duplicates_of(texts[:3], texts[3:], duplicates)
    assert [example.text for example in rest] == ["two"]
    assert list(zip(leaked.earlier.tolist(), leaked.later.tolist(), strict=True)) == [(3, 0), (4, 2)]
