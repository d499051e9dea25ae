"""Whether the evaluation part can be trusted."""

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import Interval
from trainingrun_trainer.advice import Evidence, advise

from .evidence import LABELS, counts, evidence, scores, types

RIGHT = scores([[20, 0, 0], [1, 19, 0], [0, 0, 20]], LABELS)


def with_interval(low: float, high: float) -> Evidence:
    return evidence(scores=RIGHT.model_copy(update={"accuracy_interval": Interval(low=low, high=high)}))


def test_an_accuracy_that_may_be_anything_is_called_so() -> None:
    (found,) = advise(with_interval(0.8, 0.95))
    assert (found.type, found.severity) == (FindingType.SMALL_EVALUATION_PART, Severity.INFO)
    assert found.message.startswith("Accuracy may be anything from 80 to 95 %: 60 evaluation texts")
    assert types(with_interval(0.9, 0.97)) == []


def leaked(number: int) -> Evidence:
    return evidence(data=counts(dict.fromkeys(LABELS, (60, 100)), leaked=number))


def test_copies_of_evaluation_texts_in_the_training_data_are_told() -> None:
    (found,) = advise(leaked(30))
    assert (found.type, found.severity) == (FindingType.LEAKED_TEXTS, Severity.INFO)
    assert (
        "30 texts of the training data are copies or near-copies of the 300 evaluation texts" in found.message
    )
    assert types(leaked(2)) == types(leaked(0)) == []
