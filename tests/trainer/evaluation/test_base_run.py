"""What a run added to the one that it went on from."""

import pytest

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import Baseline, BaselineMethod, Evaluation
from trainingrun_api.lineage import HeadOrigin, ResolvedBaseModel
from trainingrun_api.tasks import TaskType
from trainingrun_trainer.evaluation import base_run
from trainingrun_trainer.report import Report
from trainingrun_trainer.report.headline import headline

from ..report.reports import a_report, label_names, several, single


def earlier() -> Evaluation:
    return a_report(single(5, 120, seed=3), label_names(5), model_name="tickets-v2").evaluation


def went_on(head: HeadOrigin = HeadOrigin.REUSED) -> Evaluation:
    base = ResolvedBaseModel(source="s3://models/tickets/model", from_run="tickets-v2", head=head)
    report = a_report(single(5, 300), label_names(5), base_model=base)
    before = report.evaluation.curves.epochs[0]
    baseline = Baseline(method=BaselineMethod.BASE_MODEL, scores=before)
    return report.evaluation.model_copy(update={"baseline": baseline})


def test_the_earlier_model_is_scored_on_its_own_texts_and_on_these() -> None:
    before, after = earlier(), went_on()
    found = base_run("tickets-v2", before, after)
    assert before.classification is not None
    assert found.own_scores.accuracy == round(before.classification.accuracy, 4)
    assert found.own_scores.support == 120
    assert found.scores == after.baseline.scores
    assert found.difference is not None
    assert found.difference.accuracy == pytest.approx(0.12)  # as `epochs` makes them
    assert found.difference.loss == pytest.approx(0.65 - 1.35)
    assert found.difference.spearman is None


def test_a_model_of_other_labels_or_another_task_has_its_own_scores_alone() -> None:
    other_head = base_run("tickets-v2", earlier(), went_on(HeadOrigin.NEW))
    assert (other_head.scores, other_head.difference) == (None, None)
    report = a_report(several(5, 100), label_names(5))
    settings = report.evaluation.settings.model_copy(
        update={"task_type": TaskType.MULTI_LABEL_CLASSIFICATION}
    )
    of_several = report.evaluation.model_copy(update={"settings": settings})
    assert base_run("tickets-v2", of_several, went_on()).scores is None


def test_the_top_of_the_page_tells_of_the_earlier_run() -> None:
    report = a_report(single(5, 300), label_names(5))

    def top(evaluation: Evaluation) -> tuple[str, str]:
        found = evaluation.model_copy(update={"base_run": base_run("tickets-v2", earlier(), evaluation)})
        said = headline(Report(found, report.record, report.predictions))
        return said.verdict, said.base_run

    verdict, said = top(went_on())
    assert "the model of run tickets-v2 as it was loaded has" in verdict
    accuracy = earlier().classification.accuracy
    assert said.startswith(f"It started from run tickets-v2, whose model has accuracy {accuracy:.3f}")
    assert "on the 120 rows" in said
    assert "on 300 texts that it was not trained on;" in verdict
    seen = Finding(type=FindingType.SEEN_TEXTS, severity=Severity.WARNING, message="m", suggestion="s")
    flattered = went_on().model_copy(update={"advice": [seen]})
    assert "on 300 texts some of which its base run was trained on;" in top(flattered)[0]
    assert "task or labels are others there" in top(went_on(HeadOrigin.NEW))[1]
