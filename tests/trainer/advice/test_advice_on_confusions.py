"""Labels that are taken for each other, and what might tell them apart."""

from collections.abc import Iterable, Mapping

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.spec import RunSettings
from trainingrun_trainer.advice import Evidence, advise
from trainingrun_trainer.data import FieldValues
from trainingrun_trainer.data.metadata import ALL_ROWS, EVERY, MAX_VALUES, FieldCounts
from trainingrun_trainer.data.rows import Row

from .evidence import LABELS, evidence, scores, types

MIXED_UP = [[15, 4, 1], [4, 16, 0], [0, 0, 20]]
"""Of the 39 texts of billing and delivery that were given one of both, 8 were given the wrong one."""


def confused(confusion: list[list[int]], *fields: FieldValues, context: Iterable[str] = ()) -> Evidence:
    settings = RunSettings(context_parameters=list(context))
    return evidence(scores=scores(confusion, LABELS), fields=fields, settings=settings)


def read(rows: Iterable[tuple[str, Mapping[str, object]]]) -> dict[str, FieldValues]:
    metadata = FieldCounts()
    for label, values in rows:
        metadata.add(Row("file, line 1", {"text": "t", "label": label, **values}), [label], ("text", "label"))
    return {field.name: field for field in metadata.fields()}


def a_field(name: str, **letters: str) -> FieldValues:
    """One whose values are the letters, one for each of a label's texts."""
    return read((label, {name: letter}) for label, values in letters.items() for letter in values)[name]


APART = a_field("channel", billing="m" * 38 + "pp", delivery="p" * 40, login="mp" * 20)
MINGLED = a_field("device", billing="m" * 25 + "p" * 15, delivery="m" * 15 + "p" * 25, login="mp" * 20)


def test_labels_that_are_taken_for_each_other_are_named_with_how_often() -> None:
    (found,) = advise(confused(MIXED_UP))
    assert (found.type, found.severity) == (FindingType.CONFUSED_LABELS, Severity.WARNING)
    assert found.message == "'delivery', 'billing' are confused in 8 of 39 texts"
    assert found.suggestion.startswith("Read these texts in report.html")


def test_labels_that_are_hardly_told_apart_may_be_one() -> None:
    (found,) = advise(confused([[12, 8, 0], [7, 13, 0], [0, 0, 20]]))
    assert found.suggestion.startswith("They are hardly distinguished: merge them")


def test_mistakes_here_and_there_are_no_confusion() -> None:
    assert types(confused([[17, 2, 1], [2, 18, 0], [0, 0, 20]])) == []  # four texts
    assert types(confused([[190, 10, 0], [8, 192, 0], [0, 0, 200]])) == []  # few of many


def test_a_field_that_tells_confused_labels_apart_is_proposed_as_context() -> None:
    first, second = advise(confused(MIXED_UP, MINGLED, APART))
    assert (first.type, second.type) == (FindingType.MISSING_CONTEXT, FindingType.CONFUSED_LABELS)
    assert first.severity is Severity.WARNING
    assert first.message == (
        "'channel' alone separates 'delivery' from 'billing' in 98 % of texts; the model, which doesn't read "
        "it, in 79 %"
    )
    assert first.suggestion.startswith("Add 'channel' to spec.contextParameters")


def test_a_field_that_does_not_or_is_read_already_is_not() -> None:
    assert types(confused(MIXED_UP, MINGLED)) == [FindingType.CONFUSED_LABELS]
    assert types(confused(MIXED_UP, APART, context=["channel"])) == [FindingType.CONFUSED_LABELS]
    assert types(confused([[20, 0, 0], [0, 20, 0], [0, 0, 20]], APART)) == []


TELLTALE = a_field("channel", billing="b" * 40, delivery="d" * 40, login="l" * 39 + "d")


def test_a_field_that_is_the_label_in_other_words_is_no_context() -> None:
    assert types(confused(MIXED_UP, TELLTALE)) == [FindingType.CONFUSED_LABELS]
    right = [[20, 0, 0], [0, 20, 0], [0, 0, 20]]
    (found,) = advise(confused(right, TELLTALE, context=["channel"]))
    assert (found.type, found.severity) == (FindingType.TELLTALE_CONTEXT, Severity.WARNING)
    assert "'channel' alone gives 99 % of the labels" in found.message
    assert types(confused(right, APART, context=["channel"])) == []


def test_values_are_counted_by_field_and_label_also_inside_objects() -> None:
    fields = read(
        [("a", {"n": 1, "m": {"plan": "pro"}, "tags": ["x"], "id": n}) for n in range(MAX_VALUES + 9)]
        + [("b", {"n": 2, "m": {"plan": None}, "id": -n}) for n in range(20)]
    )
    assert set(fields) == {"n", "m.plan"}  # a list is no category, nor is what always differs
    assert fields["n"].tells(["a", "b"]) == 1
    assert fields["n"].tells(["a", "unknown"]) is None
    assert fields["m.plan"].tells(["a", "b"]) is None  # b has no plan


def test_a_value_that_occurs_once_tells_nothing() -> None:
    rows = [(label, {"ticket": f"{label}{n}"}) for label in "ab" for n in range(30)]
    assert read(rows)["ticket"].tells(["a", "b"]) == 0


def test_of_many_rows_a_share_is_counted() -> None:
    fields = read(("ab"[n % 2], {"n": n % 2}) for n in range(ALL_ROWS + 3 * EVERY))
    assert fields["n"].texts.sum() == ALL_ROWS + 3
