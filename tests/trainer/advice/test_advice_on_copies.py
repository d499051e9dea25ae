"""Texts that occur again with other labels."""

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import DuplicateExamples, TextPair
from trainingrun_trainer.advice import Evidence, advise

from .evidence import LABELS, counts, evidence, types


def conflicting(conflicts: int, near: int, *pairs: tuple[str, str]) -> Evidence:
    """Of 240 texts."""
    examples = DuplicateExamples(
        conflicts=[
            TextPair(text="t", labels=[one], other="T", other_labels=[other], similarity=1)
            for one, other in pairs
        ]
    )
    data = counts(dict.fromkeys(LABELS, (60, 20)), conflicts=conflicts, near_conflicts=near)
    return evidence(data=data.model_copy(update={"examples": examples}))


def test_texts_with_several_labels_are_told_with_the_labels_they_have() -> None:
    (found,) = advise(conflicting(3, 1, ("login", "billing"), ("billing", "login"), ("login", "delivery")))
    assert (found.type, found.severity) == (FindingType.CONFLICTING_DUPLICATES, Severity.INFO)
    assert found.message == (
        "3 texts have a duplicate with another label, and 1 a near-duplicate; most often with 'billing', "
        "'login'"
    )
    (many,) = advise(conflicting(9, 4))
    assert many.severity is Severity.WARNING
    said = [advise(conflicting(*numbers))[0].message for numbers in ((5, 0), (0, 5))]
    assert said == [
        "5 texts have a duplicate with another label",
        "5 texts have a near-duplicate with another label",
    ]


def test_a_few_of_many_texts_are_not() -> None:
    assert types(conflicting(1, 1)) == types(conflicting(0, 0)) == []
