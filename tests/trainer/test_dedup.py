"""Copies and contradictions."""

from trainingrun_trainer.dedup import deduplicate
from trainingrun_trainer.records import Example


def test_copies_differ_in_case_width_and_white_space_only() -> None:
    unique = deduplicate(
        [Example("Late  parcel", ("a",)), Example("\uff4cate\nPARCEL ", ("a",)), Example("late", ("a",))]
    )
    assert unique.examples == [Example("Late  parcel", ("a",)), Example("late", ("a",))]
    assert (unique.duplicates, unique.conflicts) == (1, 0)


def test_the_label_of_most_copies_is_kept() -> None:
    unique = deduplicate([Example("x", ("a",)), Example("X", ("b",)), Example("x ", ("b",))])
    assert unique.examples == [Example("X", ("b",))]
    assert (unique.duplicates, unique.conflicts) == (1, 1)


def test_the_first_label_is_kept_on_a_tie() -> None:
    unique = deduplicate([Example("x", ("b",)), Example("x", ("a",))])
    assert unique.examples == [Example("x", ("b",))]
    assert (unique.duplicates, unique.conflicts) == (0, 1)
