"""Whether the evaluation split can be trusted."""

from dataclasses import replace

from trainingrun_api.advice import FindingType, Severity
from trainingrun_api.evaluation import Evaluation, Interval, SourceCounts
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.spec import RunSettings
from trainingrun_api.training import Training
from trainingrun_trainer.advice import Evidence, advise

from ..report.reports import a_report, label_names, single
from .evidence import LABELS, counts, evidence, scores, types

RIGHT = scores([[20, 0, 0], [1, 19, 0], [0, 0, 20]], LABELS)


def with_interval(low: float, high: float) -> Evidence:
    return evidence(scores=RIGHT.model_copy(update={"accuracy_interval": Interval(low=low, high=high)}))


def test_an_accuracy_that_may_be_anything_is_called_so() -> None:
    (found,) = advise(with_interval(0.8, 0.95))
    assert (found.type, found.severity) == (FindingType.SMALL_EVALUATION_SPLIT, Severity.INFO)
    assert found.message.startswith("The accuracy may be anywhere from 80 to 95 %: 60 evaluation texts")
    assert types(with_interval(0.9, 0.97)) == []


def leaked(number: int) -> Evidence:
    return evidence(data=counts(dict.fromkeys(LABELS, (60, 100)), leaked=number))


def test_duplicates_of_evaluation_texts_in_the_training_data_are_told() -> None:
    (found,) = advise(leaked(30))
    assert (found.type, found.severity) == (FindingType.LEAKED_TEXTS, Severity.INFO)
    assert (
        "30 texts of the training data are duplicates or near-duplicates of the 300 evaluation texts"
        in found.message
    )
    assert types(leaked(2)) == types(leaked(0)) == []


def source(name: str, training: int, evaluation: int) -> SourceCounts:
    used = training + evaluation
    return SourceCounts(
        source=name,
        read=used,
        empty=0,
        unlabelled=0,
        filtered=0,
        used=used,
        training=training,
        evaluation=evaluation,
        labels=[],
        common_labels=3,
    )


def settings(seed: int = 1, train_percent: int = 80) -> RunSettings:
    return RunSettings(train_percent=train_percent, training=Training(seed=seed))


def going_on(
    *sources: SourceCounts, before: list[SourceCounts] | None = None, now: RunSettings | None = None
) -> Evidence:
    """A run on `sources` that went on from one on `before`, which had seed 1 and trained on 80 %."""
    made: Evaluation = a_report(single(5, 100), label_names(5)).evaluation
    data = made.data.model_copy(update={"sources": before or [source("tickets", 400, 100)]})
    earlier = made.model_copy(update={"data": data, "settings": settings()})
    parts = dict.fromkeys(LABELS, (160, 40))
    return evidence(data=counts(parts, sources=list(sources)), settings=now or settings(), earlier=earlier)


def test_evaluation_texts_that_the_base_run_was_trained_on_are_told() -> None:
    tickets = source("tickets", 400, 100)
    (found,) = advise(going_on(tickets, source("mails", 80, 20), now=settings(seed=2)))
    assert (found.type, found.severity) == (FindingType.SEEN_TEXTS, Severity.WARNING)
    assert "was trained on some of the 100 evaluation texts of 'tickets'" in found.message
    assert "spec.training.seed 1, spec.trainPercent 80 or more" in found.suggestion
    seen = [FindingType.SEEN_TEXTS]
    assert types(going_on(tickets, now=settings(train_percent=70))) == seen
    assert types(going_on(tickets, before=[source("tickets", 500, 0), source("new", 0, 100)])) == seen
    assert types(going_on(source("new", 400, 0), source("tickets", 0, 500))) == seen


def test_a_base_run_with_a_final_fit_has_seen_all_of_its_texts() -> None:
    def after(*sources: SourceCounts, kept: bool = True) -> Evidence:
        made = going_on(*sources)
        assert made.earlier is not None
        fit = FinalFit(texts=500, epochs=3, loss=0.1, kept=kept)
        return replace(made, earlier=made.earlier.model_copy(update={"final_fit": fit}))

    tickets = source("tickets", 400, 100)
    (found,) = advise(after(tickets))
    assert (found.type, found.severity) == (FindingType.SEEN_TEXTS, Severity.WARNING)
    assert found.suggestion.startswith("Its final fit learned all of its texts: name a spec.evaluation")
    assert types(after(tickets, kept=False)) == types(after(source("mails", 400, 100))) == []


def test_texts_that_the_base_run_kept_back_too_are_not() -> None:
    tickets = source("tickets", 400, 100)
    assert types(going_on(tickets)) == types(going_on(tickets, now=settings(train_percent=90))) == []
    assert types(going_on(source("mails", 400, 100), now=settings(seed=2))) == []
    asked = [source("tickets", 400, 0), source("asked", 0, 100)]
    assert types(going_on(*asked, before=asked, now=settings(seed=2))) == []
