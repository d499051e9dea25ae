"""Runs side by side: what differs, what is more than chance, and the page that shows it."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trainingrun_api.evaluation import PairSimilarity, SimilarityScores
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.metrics import ACCURACY, MACRO_F1
from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_trainer.evaluation import Predictions
from trainingrun_trainer.records import Example
from trainingrun_trainer.report import Report
from trainingrun_trainer.report.side_by_side import SideBySide, compare, render_side_by_side
from trainingrun_trainer.report.side_by_side.content import differing

from .reports import CONFIG, a_report, examples, label_names, of_embeddings, several, single
from .test_report import HOSTILE, Page, collapsed

LABELS = label_names(5)


def config(name: str, **settings: Any) -> RunConfig:
    run = CONFIG.run.model_copy(update={"name": name})
    return CONFIG.model_copy(update={"run": run, **settings})


def mended(predictions: Predictions, texts: int) -> Predictions:
    """So many of the texts that were given wrong labels are given the right ones."""
    logits = predictions.logits.copy()
    chosen = np.flatnonzero(predictions.targets != predictions.predicted)[:texts]
    logits[chosen, predictions.targets[chosen]] = 20
    return Predictions(predictions.targets, logits, predictions.loss)


def a_run(name: str, predictions: Predictions | None = None, words: int = 12, **settings: Any) -> Report:
    predictions = predictions or single(5, 300)
    texts = examples(predictions, LABELS, words)
    return a_report(predictions, LABELS, texts, config(name, **settings), model_name=name)


def two(texts: int = 20, **settings: Any) -> SideBySide:
    return compare([a_run("plain"), a_run("mended", mended(single(5, 300), texts), **settings)])


@pytest.fixture(scope="module")
def drawn() -> tuple[SideBySide, str]:
    """Two runs that differ in one setting, and their page."""
    runs = two(training=CONFIG.training.model_copy(update={"max_epochs": 3}))
    return runs, render_side_by_side(runs)


def test_runs_are_called_by_name_and_by_more_where_names_are_the_same() -> None:
    again = a_run("plain", output_prefix="s3://models/support/plain/ffff")
    assert compare([a_run("plain"), again, a_run("other")]).names == [
        "plain@0123456789ab",
        "plain@ffff",
        "other",
    ]


def test_settings_that_differ_are_listed_and_no_others() -> None:
    training = CONFIG.training.model_copy(update={"max_epochs": 3})
    found = two(training=training, train_percent=70).differences
    assert {row.name: row.values for row in found["Settings"]} == {
        "trainPercent": ("80", "70"),
        "training.maxEpochs": ("10", "3"),
    }
    assert found.keys() == {"Settings"}
    rows = differing([[("a", "1"), ("b", "2")], [("b", "2"), ("c", "3")]])
    assert [(row.name, row.values) for row in rows] == [("a", ("1", "")), ("c", ("", "3"))]


def test_scores_stand_beside_each_other_with_what_changed() -> None:
    runs = two()
    accuracy = runs.scores[0]
    before, after = (report.evaluation.classification for report in runs.reports)
    assert before is not None
    assert after is not None
    assert accuracy.name == "Accuracy"
    assert [score and score.interval for score in accuracy.values] == [
        before.accuracy_interval,
        after.accuracy_interval,
    ]
    assert accuracy.changes == (0, pytest.approx(100 * (after.accuracy - before.accuracy)))
    assert [fact.name for fact in runs.outcomes][-1] == "Texts evaluated on"


def test_the_most_changed_classes_come_first() -> None:
    runs = two()
    changes = [abs(row.changes[1] or 0) for row in runs.classes]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 1
    assert {row.label for row in runs.classes} == set(LABELS)


def test_a_label_that_one_run_lacks_is_named_and_compared_with_nothing() -> None:
    labels = label_names(4)
    (lacking,) = set(LABELS) - set(labels)
    runs = compare([a_run("plain"), a_report(single(4, 200), labels, config=config("fewer"))])
    assert runs.remarks == [
        f"Not all runs were evaluated on these labels, so their averages differ: {lacking}"
    ]
    last = runs.classes[-1]
    assert (last.label, last.values[1], last.changes, last.largest) == (lacking, None, (0, None), -1)


def test_scores_of_before_a_final_fit_are_said_to_be_of_the_model_before() -> None:
    fit = FinalFit(texts=1000, epochs=7, loss=0.1, kept=True)
    usual, anew = a_run("usual"), a_run("anew")
    anew = replace(anew, evaluation=anew.evaluation.model_copy(update={"final_fit": fit}))
    assert compare([usual, anew]).remarks == [
        "The scores of anew are of the model before its final fit on all 1,000 texts, which is published"
    ]


def test_a_run_that_is_better_on_the_same_texts_is_called_so() -> None:
    runs = two()
    (pair,) = runs.paired
    assert pair.verdict == "mended is significantly better in accuracy and macro F1 than plain."
    assert pair.basis == "Both were evaluated on the same 300 texts."
    before, after = (report.evaluation.classification for report in runs.reports)
    assert before is not None
    assert after is not None
    assert pair.scored[MACRO_F1].value == pytest.approx(after.averages.macro.f1 - before.averages.macro.f1)
    turned = compare(runs.reports[::-1]).paired[0]
    assert turned.verdict == "plain is significantly worse in accuracy and macro F1 than mended."


def test_a_run_beside_its_like_makes_no_difference() -> None:
    pair = compare([a_run("plain"), a_run("again")]).paired[0]
    assert pair.verdict == "again predicts the same labels as plain: no difference."


def test_a_difference_of_a_few_texts_can_not_be_told_from_chance() -> None:
    pair = two(texts=3).paired[0]
    assert "only 3 of the 300 texts are right in one run" in pair.verdict
    assert "can't be determined" in pair.verdict
    assert pair.scored == {}


def test_only_texts_that_both_were_evaluated_on_are_judged() -> None:
    """Of the last 200 texts, which are all that the other run has, 20 have another label there."""
    predictions, texts = mended(single(5, 300), 20), examples(single(5, 300), LABELS)
    targets = predictions.targets[100:].copy()
    targets[:20] = (targets[:20] + 1) % 5
    relabelled = [
        replace(text, labels=(LABELS[target],)) for text, target in zip(texts[100:], targets, strict=True)
    ]
    part = Predictions(targets, predictions.logits[100:], predictions.loss)
    pair = compare([a_run("plain"), a_report(part, LABELS, relabelled, config("part"))]).paired[0]
    assert (pair.own, pair.common, pair.relabelled) == ((300, 200), 180, 20)
    assert pair.basis == (
        "Compared on the 180 texts that both were evaluated on, of 300 of plain and 200 of part. "
        "20 more have different labels, and are left out."
    )
    assert "better in accuracy" in pair.verdict


def test_texts_are_the_same_in_other_context_where_the_runs_read_other_context() -> None:
    predictions = single(5, 300)
    elsewhere = [replace(text, context=("chat",)) for text in examples(predictions, LABELS)]
    for parameters, common in ((["channel"], 0), (["channel", "product"], 300)):
        other = a_report(predictions, LABELS, elsewhere, config("chat", context_parameters=parameters))
        assert compare([a_run("plain"), other]).paired[0].common == common


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (
            lambda: replace(a_run("other"), predictions=None),
            "It can't be determined whether other is better than plain: the predictions.parquet of other is "
            "missing.",
        ),
        (
            lambda: a_run("other", words=3),
            "no evaluation text is in both with the same labels",
        ),
    ],
    ids=["no predictions", "other texts"],
)
def test_what_lacks_to_judge_by_is_said(other: Any, reason: str) -> None:
    assert reason in compare([a_run("plain"), other()]).paired[0].verdict


def test_runs_of_other_tasks_stand_side_by_side_with_what_can_be_compared() -> None:
    task = TaskType.MULTI_LABEL_CLASSIFICATION
    many = a_report(several(5, 200), LABELS, config=config("many", task_type=task))
    near = of_embeddings(LABELS)
    record = near.record.model_copy(update={"config": config("near")})
    runs = compare([a_run("plain"), many, replace(near, record=record)])
    assert "(plain: one label a text; many: several labels a text; near: embeddings of lab" in runs.remarks[0]
    known = {row.name: [value is not None for value in row.values] for row in runs.scores}
    assert known["Accuracy (one label a text)"] == [True, False, False]
    assert known["Micro F1 (several labels a text)"] == [False, True, False]
    assert known["Average precision (embeddings of labelled texts)"] == [False, False, True]
    assert len(re.findall("<figure>", render_side_by_side(runs))) == 2


def test_embeddings_of_pairs_have_their_own_scores_side_by_side_and_no_labels() -> None:
    def of_pairs(name: str, spearman: float) -> Report:
        found = SimilarityScores(pairs=PairSimilarity(spearman=spearman, pearson=0.4, pairs=60))
        report = a_run(name)
        changes = {"classification": None, "similarity": found, "labels": []}
        return replace(report, evaluation=report.evaluation.model_copy(update=changes), predictions=None)

    runs = compare([of_pairs("one", 0.5), of_pairs("other", 0.62)])
    assert [(row.name, row.changes[1]) for row in runs.scores] == [
        ("Spearman", pytest.approx(12)),
        ("Pearson", 0),
    ]
    assert (runs.remarks, runs.classes) == ([], [])
    assert (
        runs.paired[0].verdict
        == "It can't be determined whether other is better than one: one gives no labels."
    )
    page = Page(render_side_by_side(runs))
    assert "classes" not in {attributes.get("id") for _, attributes in page.tags}
    assert "Spearman 50.0 62.0+12.0" in collapsed(page.text).replace(" +", "+")


def test_the_page_shows_all_of_it(drawn: tuple[SideBySide, str]) -> None:
    runs, html = drawn
    text = collapsed(Page(html).text)
    for said in (
        runs.paired[0].verdict,
        runs.paired[0].basis,
        "training.maxEpochs 10 3",
        f"{runs.classes[0].label} {100 * runs.classes[0].values[0].f1:.1f}",  # type: ignore[union-attr]
        f"{100 * runs.paired[0].scored[ACCURACY].low:+.1f} to",
    ):
        assert said in text, said


def test_curves_of_all_runs_are_in_one_chart_for_each_loss(drawn: tuple[SideBySide, str]) -> None:
    charts = re.findall(r"<svg[^>]*chart.*?</svg>", drawn[1], re.DOTALL)
    titles = [re.search('aria-label="([^"]*)"', chart).group(1) for chart in charts]  # type: ignore[union-attr]
    assert titles == [
        f"{name} by epoch" for name in ("Evaluation loss", "Training loss", "Accuracy", "Macro F1")
    ]
    for name in ("plain", "mended"):
        assert f">{name}</text>" in charts[0]
        assert f"Epoch 6: the best, evaluation loss of {name} 0.650" in charts[0]
    assert all(f'class="run{number}"' in charts[0] for number in (0, 1))


def test_names_of_script_tags_stay_text() -> None:
    labels = sorted(HOSTILE)
    predictions = single(len(labels), 60)
    texts = [Example(HOSTILE[index], (labels[index],), (HOSTILE[0],)) for index in predictions.targets]
    names = [
        config(name, context_parameters=[HOSTILE[2]], train_percent=70 + n)
        for n, name in enumerate(HOSTILE[:2])
    ]
    page = Page(render_side_by_side(compare([a_report(predictions, labels, texts, one) for one in names])))
    assert len(page.scripts) == 1
    assert "alert(1)" not in page.scripts[0]
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert HOSTILE[0] in page.text
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
    (policy,) = [a["content"] or "" for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
