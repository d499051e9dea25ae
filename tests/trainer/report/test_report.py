"""report.html: what it says, that it holds what it should, that it is small, quick and safe."""

import json
import re
import time
import timeit
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainingrun_api.evaluation import PairSimilarity, RankingScores, Restart, SimilarityScores, Timing
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.evaluation import Predictions
from trainingrun_trainer.records import Example
from trainingrun_trainer.report import Report, render
from trainingrun_trainer.time_share import TimeShare

from .reports import LABEL_ISSUES, a_report, examples, label_names, of_embeddings, several, single

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "\u2028\x00 &lt;b&gt;",
)


class Page(HTMLParser):
    """Elements, text outside scripts, and the data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(html)
        *data, _ = self.scripts
        self.data: dict[str, Any] = json.loads(data[0]) if data else {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in {"script", "style"} else ""
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.text += f"{' '.join(data.split())} "


def seconds(work: Callable[[], object]) -> float:
    """Of this process, the least of three times: what else the machine does takes its caches and speed."""
    return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=3))


def collapsed(text: str) -> str:
    return " ".join(text.split())


def five() -> Report:
    labels = label_names(5)
    return a_report(single(5, 300), labels)


def test_the_top_says_how_good_it_is_and_against_what() -> None:
    report = five()
    page = Page(render(report))
    scores = report.evaluation.classification
    assert scores is not None
    assert scores.accuracy_interval is not None
    assert f"Accuracy is {100 * scores.accuracy:.1f} % on 300 texts" in page.text
    assert f"{100 * scores.accuracy - 12:.1f} %. Training gained 12.0 points" in page.text
    low, high = scores.accuracy_interval.low, scores.accuracy_interval.high
    assert f"{100 * low:.1f} to {100 * high:.1f}" in page.text
    assert f"{100 * scores.averages.samples.f1:.1f}" in page.text


def test_the_top_says_that_the_published_model_was_fitted_anew() -> None:
    report = five()
    fit = FinalFit(texts=1500, epochs=7, loss=0.1, kept=True)
    page = collapsed(
        render(replace(report, evaluation=report.evaluation.model_copy(update={"final_fit": fit})))
    )
    assert (
        "The published model was fitted anew for 7 epochs on all 1,500 texts. The scores here are of" in page
    )
    assert "that is published; these curves are of training before it" in page


def test_training_that_made_the_score_worse_is_not_praised() -> None:
    report = five()
    before = report.evaluation.baseline
    scores = before.scores.model_copy(update={"accuracy": 0.99})
    evaluation = report.evaluation.model_copy(
        update={"baseline": before.model_copy(update={"scores": scores})}
    )
    text = Page(render(Report(evaluation, report.record, report.predictions))).text
    assert "has 99.0 %. Training made it worse: the epoch was chosen by EvaluationLoss" in text


@pytest.mark.parametrize(
    ("best_epoch", "said"),
    [(0, "No epoch was better"), (6, "within the margin of error")],
)
def test_a_gain_that_may_be_chance_is_called_so(best_epoch: int, said: str) -> None:
    report = a_report(single(3, 20), label_names(3), best_epoch=best_epoch)
    assert said in Page(render(report)).text


def test_advice_stands_at_the_top_with_what_shows_it() -> None:
    text = Page(render(five())).text
    said = "Warning LossJump The training loss rose from 0.41 to 1.32 in epoch 4 and stayed there."
    assert f"{said} Lower spec.training.learningRate to 5e-5. epoch 4 before 0.41 after 1.32" in collapsed(
        text
    )
    assert text.index("What to do next") < text.index("How good is it?")


def test_labels_that_are_likely_wrong_are_listed_the_most_certain_first() -> None:
    report = five()
    text = collapsed(Page(render(report)).text)
    assert "Of 1,500 texts looked at, 3 look mislabelled: another label is far more likely." in text
    first = 'my" parcel, please? invoice is late phone parcel is late 97.0 % Training s3://data/tickets.jsonl'
    assert text.index(first) < text.index("The courier, again, did not come invoice is late")
    without = report.evaluation.model_copy(update={"label_issues": None})
    page = Page(render(Report(without, report.record, report.predictions)))
    assert "label_issues" not in {a.get("id") for _, a in page.tags}


def test_every_text_is_there_with_its_probabilities() -> None:
    report = five()
    data = Page(render(report)).data
    rows = report.predictions.to_pylist()
    assert [row[1] for row in data["texts"]] == [row["text"] for row in rows]
    _, _, cut, context, source, true, predicted, probable, loss = data["texts"][7]
    assert (cut, context, data["sources"][source]) == (0, rows[7]["context"], "s3://data/tickets.jsonl")
    assert [data["labels"][index] for index in (*true, *predicted)] == [
        *rows[7]["labels"],
        *rows[7]["predicted"],
    ]
    shares = dict(zip(probable[::2], probable[1::2], strict=True))
    assert shares[true[0]] == round(1000 * rows[7]["probabilities"][true[0]])
    assert loss == round(rows[7]["loss"], 3)


def test_the_cells_are_those_of_the_matrix() -> None:
    report = five()
    data = Page(render(report)).data
    counts = np.zeros((5, 5), int)
    for true, predicted, count in zip(*(data["cells"][n::3] for n in range(3)), strict=True):
        counts[true, predicted] = count
    assert report.evaluation.classification is not None
    assert counts.tolist() == report.evaluation.classification.confusion_matrix.counts


def test_a_data_set_of_script_tags_stays_text() -> None:
    labels = sorted(HOSTILE)
    predictions = single(len(labels), 40)
    texts = [
        Example(HOSTILE[n % 5], (labels[index],), (HOSTILE[n % 4],), HOSTILE[n % 3])
        for n, index in enumerate(predictions.targets)
    ]
    flagged = LABEL_ISSUES.texts[0].model_copy(
        update={"text": HOSTILE[0], "label": HOSTILE[2], "suggested": HOSTILE[1]}
    )
    label_issues = LABEL_ISSUES.model_copy(update={"texts": [flagged]})
    html = render(a_report(predictions, labels, texts, model_name=HOSTILE[2], label_issues=label_issues))
    page = Page(html)
    assert [row[1] for row in page.data["texts"]] == [text.text for text in texts]
    assert page.data["labels"] == labels
    assert len(page.scripts) == 2
    assert "alert(1)" not in page.scripts[1]
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert all(
        label.split("\x00")[0].strip() in page.text.replace("\u2028", "") or "\u2028" in label
        for label in labels
    )


def test_nothing_is_loaded_and_no_style_or_script_but_its_own_runs() -> None:
    html = render(five())
    page = Page(html)
    (policy,) = [a["content"] or "" for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("src", "href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith("#") or target in {"data:,", "predictions.parquet"}, target


@pytest.mark.slow
def test_150_classes_and_5000_texts_fit_in_2_mb_whatever_their_length() -> None:
    labels = label_names(150)
    predictions = single(150, 5000)
    most = [LABEL_ISSUES.texts[0].model_copy(update={"text": "parcels " * 90})] * 200
    label_issues = LABEL_ISSUES.model_copy(update={"texts": most})
    short, long = (
        a_report(predictions, labels, examples(predictions, labels, words), label_issues=label_issues)
        for words in (12, 400)
    )
    pages = [render(short), render(long)]
    assert all(len(page.encode()) < 2_000_000 for page in pages)
    whole, cut = (Page(page) for page in pages)
    assert "texts are cut" not in whole.text
    assert all(row[2] == 0 for row in whole.data["texts"])
    assert "of its texts are cut to keep it small" in cut.text
    assert "predictions.parquet" in cut.text


def test_the_page_costs_little_beside_the_scores_it_shows() -> None:
    labels = label_names(150)
    predictions = single(150, 5000)
    report = a_report(predictions, labels)
    render(report)  # reads the templates
    scoring = seconds(lambda: predictions.scores(labels))
    assert seconds(lambda: render(report)) < 4 * scoring


def test_of_more_texts_the_wrong_ones_are_kept() -> None:
    predictions = single(4, 6000)
    page = Page(render(a_report(predictions, label_names(4))))
    wrong = np.flatnonzero(predictions.targets != predictions.predicted)
    assert len(page.data["texts"]) == 5000
    assert set(wrong) <= {row[0] for row in page.data["texts"]}
    assert "This page holds 5,000 of 6,000 texts" in page.text


def test_several_labels_a_text_with_their_threshold() -> None:
    report = a_report(several(8, 200), label_names(8))
    page = Page(render(report))
    scores = report.evaluation.classification
    assert scores is not None
    assert scores.threshold is not None
    assert f"probability reaches {scores.threshold.value:.3f}" in page.text
    assert page.data["several"]
    assert any(len(row[5]) > 1 for row in page.data["texts"])


def test_an_embedding_model_of_labelled_texts_has_confusions_of_the_nearest_label() -> None:
    report = of_embeddings(label_names(4))
    page = Page(render(report))
    assert report.evaluation.similarity is not None
    found = report.evaluation.similarity.labels
    assert found is not None
    assert f"Average precision {100 * found.average_precision:.1f} %" in collapsed(page.text)
    assert f"1 {100 * found.retrieval.at[0].precision:.1f}" in collapsed(page.text)
    assert "the label whose mean of training embeddings is nearest" in page.text
    wrong = [row for row in page.data["texts"] if row[5] != row[6]]
    assert len(wrong) == round(60 * (1 - found.nearest_label.accuracy)) > 0


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (SimilarityScores(pairs=PairSimilarity(spearman=-0.1, pearson=0.42, pairs=60)), "Pearson 42.0 %"),
        (
            SimilarityScores(ranking=RankingScores(accuracy=0.9, mean_reciprocal_rank=0.95, rows=60)),
            "Mean reciprocal rank 95.0 %",
        ),
    ],
    ids=["scored", "ranked"],
)
def test_an_embedding_model_of_pairs_has_scores_and_curves(scores: SimilarityScores, said: str) -> None:
    report = five()
    changes = {"classification": None, "similarity": scores, "labels": []}
    page = Page(render(Report(report.evaluation.model_copy(update=changes), report.record)))
    assert said in collapsed(page.text)
    assert not {"confusions", "classes", "texts"} & {a.get("id") for _, a in page.tags}


def test_a_task_without_labels_has_no_confusions() -> None:
    report = five()
    evaluation = report.evaluation.model_copy(update={"classification": None})
    page = Page(render(Report(evaluation, report.record)))
    assert not {"confusions", "classes", "texts"} & {a.get("id") for _, a in page.tags}
    assert "How did training go?" in page.text


def test_settings_lineage_versions_and_the_way_of_the_data_are_there() -> None:
    page = Page(render(five()))
    for said in (
        "maxEpochs 10",
        "tickets-v2/model",
        "tickets-v1 from Default",
        "torch 2.10.0",
        "Read 1,800",
        "textField message",
        "No channel 30 labelled texts without this context parameter",
        "no evaluation text has them: rarely said",
        "card was charged twice refund 100 %",
    ):
        assert said in collapsed(page.text), said


def test_text_of_the_charts_is_text() -> None:
    html = render(five())
    charts = re.findall(r"<svg[^>]*chart.*?</svg>", html, re.DOTALL)
    assert len(charts) == 4
    assert "loss, nats per text" in charts[0]
    assert "stopped early" in charts[0]
    assert "Epoch 3: evaluation loss 0.780" in charts[0]
    assert "Best epoch: 6 of 9, stopped early." in charts[0]


def test_restarts_are_marked_on_the_curves() -> None:
    report = five()
    restarts = [Restart(step=100, epoch=2), Restart(step=250, epoch=5)]
    curves = report.evaluation.curves.model_copy(update={"restarts": restarts})
    timing = Timing(stages={"Training": 4000.0}, training_seconds=59.94, texts_per_second=1234.5)
    evaluation = report.evaluation.model_copy(update={"curves": curves, "timing": timing})
    html = render(Report(evaluation, report.record, report.predictions))
    losses, scores, *_ = re.findall(r"<svg[^>]*chart.*?</svg>", html, re.DOTALL)
    for chart in (losses, scores):
        assert chart.count('class="restart"') == 3  # two lines and the legend's
        assert chart.count(">restarted<") == 1
        assert "Restarted after epoch 2, 5." in chart
    said = (
        "stages of the last attempt Training steps 59.9 s Speed 1,234 texts a second Training 1 h 6 min 40 s"
    )
    assert said in collapsed(Page(html).text)


def test_the_page_of_a_run_under_way_says_so() -> None:
    report = five()
    evaluation = report.evaluation.model_copy(update={"finished": False})
    page = Page(render(Report(evaluation, report.record, report.predictions)))
    assert "Training is in progress: these are the results of epoch 9 of at most 10" in page.text


def test_the_same_run_gives_the_same_page() -> None:
    assert render(five()) == render(five())


def test_a_run_leaves_its_report_also_while_it_trains(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeShare, "due", lambda share, now: True)
    path = Path(config.output_prefix.removeprefix("file://")) / "report.html"
    seen: list[str] = []

    def look(report: ProgressReport) -> None:
        if path.exists() and report.progress.stage == "Training":
            seen.append(Page(path.read_text()).text)

    result = pipeline.run(config, look)
    assert result.artifacts.report == path.as_uri()
    assert any("the results of epoch 2 of at most 3" in text for text in seen)
    text = Page(path.read_text()).text
    assert "Training is in progress" not in text
    assert f"Accuracy is {100 * (result.evaluation.accuracy or 0):.1f} % on 12 texts" in text


def test_one_class_that_is_never_given_is_no_error() -> None:
    targets = np.array([0, 0, 1, 2])
    logits = np.array([[3, 0, -9]] * 4, dtype=np.float32)
    page = Page(render(a_report(Predictions(targets, logits, 1.0), ["a", "b", "c"])))
    assert page.data["cells"] == [0, 0, 2, 1, 0, 1, 2, 0, 1]


def test_a_run_that_stopped_early_says_after_how_many_epochs_without_improvement() -> None:
    report = five()
    evaluation = report.evaluation.model_copy(update={"stopped_early": True})
    page = Page(render(Report(evaluation, report.record, report.predictions)))
    assert (
        "stopped early after epoch 9 of at most 10, as EvaluationLoss had not improved for 3 epochs"
        in " ".join(page.text.split())
    )


def test_an_epoch_that_is_as_good_as_the_one_with_the_lowest_loss_is_told_from_it() -> None:
    report = five()
    evaluation = report.evaluation.model_copy(update={"best_epoch": 9})
    text = " ".join(Page(render(Report(evaluation, report.record, report.predictions))).text.split())
    lowest = min(evaluation.curves.epochs, key=lambda epoch: epoch.evaluation_loss).epoch
    assert lowest != 9
    choice = f"EvaluationLoss: the last of those as good, but for chance, as epoch {lowest}"
    assert evaluation.chosen_by == choice
    assert f"Epoch 9 was chosen by {choice}; " in text
