"""Labels that have too few texts, or far fewer than others."""

from collections.abc import Mapping, Sequence

import pytest

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.spec import RunSettings
from trainingrun_api.training import ClassWeights, Training
from trainingrun_trainer.advice import Evidence, advise

from .evidence import LABELS, counts, evidence, scores, types


def of_counts(
    by_label: Mapping[str, tuple[int, int]], confusion: Sequence[Sequence[int]], **training: object
) -> Evidence:
    settings = RunSettings(training=Training.model_validate(training))
    return evidence(data=counts(by_label), scores=scores(confusion, list(by_label)), settings=settings)


ONE_RARE = {"billing": (400, 100), "delivery": (400, 100), "login": (30, 8)}


def test_a_label_with_few_texts_is_named_and_warned_of_where_it_is_missed() -> None:
    few = {"billing": (60, 20), "delivery": (60, 20), "login": (4, 2)}
    (missed,) = advise(of_counts(few, [[20, 0, 0], [0, 20, 0], [1, 0, 1]]))
    assert (missed.type, missed.severity) == (FindingType.TOO_FEW_TEXTS, Severity.WARNING)
    assert missed.message == "1 label has fewer than 8 texts to learn from: 'login'"
    assert missed.evidence == {"labels": 1, "fewestTexts": 4, "recall": 0.5, "recallOfOthers": 1.0}
    (found,) = advise(of_counts(few, [[20, 0, 0], [0, 20, 0], [0, 0, 2]]))
    assert found.severity is Severity.INFO


def test_labels_that_all_have_few_texts_are_only_remarked_on() -> None:
    (found,) = advise(of_counts({"a": (7, 2), "b": (5, 2)}, [[1, 1], [1, 1]]))
    assert (found.type, found.severity) == (FindingType.TOO_FEW_TEXTS, Severity.INFO)
    assert found.message == "2 labels have fewer than 8 texts to learn from: 'b', 'a'"


def test_labels_with_texts_enough_are_not() -> None:
    assert types(of_counts({"a": (8, 2), "b": (20, 5)}, [[1, 1], [0, 5]])) == []


def test_rare_labels_that_are_missed_ask_for_weights_or_texts() -> None:
    missed = [[99, 1, 0], [1, 99, 0], [3, 1, 4]]
    (found,) = advise(of_counts(ONE_RARE, missed))
    assert (found.type, found.severity) == (FindingType.IMBALANCE, Severity.WARNING)
    assert "50 % of their texts are found, 99 % of the others'" in found.message
    assert found.suggestion.startswith("Set spec.training.classWeights to Balanced")
    (weighted,) = advise(of_counts(ONE_RARE, missed, class_weights=ClassWeights.BALANCED))
    assert weighted.suggestion == "Label more texts of the rare labels"


@pytest.mark.parametrize(
    ("by_label", "confusion"),
    [
        (ONE_RARE, [[99, 1, 0], [1, 99, 0], [0, 0, 8]]),  # found all the same
        (ONE_RARE | {"login": (60, 8)}, [[99, 1, 0], [1, 99, 0], [3, 1, 4]]),  # not that rare
        (ONE_RARE | {"login": (30, 2)}, [[99, 1, 0], [1, 99, 0], [1, 0, 1]]),  # two texts tell nothing
    ],
    ids=["found", "not-rare", "too-few-to-tell"],
)
def test_rare_labels_that_do_not_suffer_are_left_alone(
    by_label: dict[str, tuple[int, int]], confusion: list[list[int]]
) -> None:
    assert FindingType.IMBALANCE not in types(of_counts(by_label, confusion))


def test_embedding_models_have_no_such_findings() -> None:
    assert types(evidence(data=counts(dict.fromkeys(LABELS, (3, 1))), scores=None)) == []
