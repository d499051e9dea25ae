"""Many labels that are likely wrong."""

from trainingrun_api.advice import MAX_SENTENCE, FindingType, Severity
from trainingrun_api.evaluation import FlaggedText, LabelIssues, Part
from trainingrun_trainer.advice import Evidence, advise

from .evidence import evidence, types


def flagging(number: int, judged: int, *labels: tuple[str, str]) -> Evidence:
    """So many label_issues; of those listed, the labels that texts have and those suggested."""
    texts = [
        FlaggedText(text="t", label=label, suggested=suggested, probability=0.9, part=Part.TRAINING)
        for label, suggested in labels or [("login", "billing")]
    ]
    return evidence(label_issues=LabelIssues(judged=judged, flagged=number, texts=texts))


def test_labels_that_are_likely_wrong_are_told_with_the_most_frequent_mistake() -> None:
    (found,) = advise(flagging(9, 240, ("login", "billing"), ("billing", "login"), ("login", "billing")))
    assert (found.type, found.severity) == (FindingType.MISLABELLED_TEXTS, Severity.INFO)
    assert found.message == (
        "9 of 240 texts look mislabelled, most often with 'login' where 'billing' is far more likely"
    )
    (many,) = advise(flagging(30, 240))
    assert many.severity is Severity.WARNING


def test_a_few_issues_are_left_to_the_report() -> None:
    assert types(flagging(4, 60)) == types(flagging(19, 1000)) == types(evidence(label_issues=None)) == []


def test_long_labels_leave_room_for_what_is_said_of_them() -> None:
    (found,) = advise(flagging(9, 240, ("x" * 300, "y" * 300)))
    assert len(found.message) < MAX_SENTENCE
    assert found.message.endswith("is far more likely")
