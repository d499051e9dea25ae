"""Rows that an annotation tool marks as not to be used."""

import pytest

from trainingrun_api.advice import FindingType, Severity
from trainingrun_trainer.advice import advise
from trainingrun_trainer.data import FieldValues
from trainingrun_trainer.data.metadata import FieldCounts
from trainingrun_trainer.data.rows import Row

from .evidence import evidence, types


def field(name: str, *values: object) -> FieldValues:
    metadata = FieldCounts()
    for value in values:
        metadata.add(Row("file, line 1", {name: value}), ("a", "b"), ())
    (one,) = metadata.fields()
    return one


def test_texts_that_were_rejected_or_ignored_are_told_with_the_filter_to_set() -> None:
    answers = field("meta.answer", "accept", "accept", "reject", "ignore", "reject", None)
    (found,) = advise(evidence(fields=[answers]))
    assert (found.type, found.severity) == (FindingType.REJECTED_ROWS, Severity.WARNING)
    assert found.message.startswith("3 of 5 texts examined have 'reject', 'ignore' in 'meta.answer'")
    assert "spec.dataset.filter: field 'meta.answer', exclude 'reject', 'ignore'" in found.suggestion
    assert found.evidence == {"texts": 3, "lookedAt": 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [("Status", "Discarded"), ("was_cancelled", True), ("wasCancelled", "true"), ("was_cancelled", 1)],
)
def test_each_tool_has_its_own_words(name: str, value: object) -> None:
    assert types(evidence(fields=[field(name, value, 0)])) == ["RejectedRows"]


@pytest.mark.parametrize(
    "one",
    [
        field("answer", "accept"),
        field("status", "open", True),
        field("was_cancelled", False),
        field("note", "reject"),
    ],
)
def test_other_values_and_other_fields_are_none(one: FieldValues) -> None:
    assert types(evidence(fields=[one])) == []
