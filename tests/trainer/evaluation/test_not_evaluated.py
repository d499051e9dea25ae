"""A label without evaluation texts: averages are over the others, and each place that shows them says so."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from trainingrun_api.advice import FindingType
from trainingrun_api.evaluation import Curves, Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunResult
from trainingrun_cli.display import classes_table, scores_table, terminal
from trainingrun_trainer import pipeline
from trainingrun_trainer.report.side_by_side import compare

from ..advice.evidence import FALLING, epoch, evidence, scores, types
from ..conftest import changed, tickets, write_jsonl
from ..report.reports import a_report, examples, label_names, single

RARE = {"text": "box box box", "label": "returns"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, pooled_model: Path) -> tuple[RunResult, Path]:
    """A run on three labels that are easily told, and one with a single text."""
    folder = tmp_path_factory.mktemp("rare")
    wanted = {
        "run": {"namespace": "team", "name": "tickets", "uid": "1"},
        "modelName": "tickets",
        "taskType": "Classification",
        "baseModel": {"uri": pooled_model.as_uri()},
        "dataset": {"uri": write_jsonl(folder / "tickets.jsonl", [*tickets(), RARE])},
        "skipDuplicates": True,
        "trainPercent": 80,
        "training": {"maxEpochs": 1, "earlyStopping": {"metric": "F1"}},
        "outputPrefix": (folder / "out").as_uri(),
        "storage": {},
    }
    return pipeline.run(RunConfig.model_validate(wanted), lambda report: None), folder / "out"


def test_a_model_that_is_right_throughout_has_macro_f1_1(finished: tuple[RunResult, Path]) -> None:
    result, folder = finished
    evaluation = Evaluation.model_validate_json((folder / "evaluation.json").read_text())
    assert (result.evaluation.accuracy, result.evaluation.f1, result.evaluation.recall) == (1, 1, 1)
    assert (result.evaluation.evaluated_labels, result.evaluation.labels) == (3, 4)
    assert "macro F1 1.000 over 3 of 4 labels, loss" in result.evaluation.in_words()
    best = evaluation.curves.epochs[evaluation.best_epoch]
    assert evaluation.classification is not None
    assert best.f1 == evaluation.classification.averages.macro.f1 == 1
    assert json.loads((folder / "evaluation.json").read_text())["classification"]["evaluatedLabels"] == 3


def test_report_card_and_terminal_say_over_how_many_labels(
    finished: tuple[RunResult, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result, folder = finished
    report = " ".join((folder / "report.html").read_text().split())
    assert "Unweighted mean of 3 of 4 classes&#39; F1; no evaluation text has the others" in report
    assert "macro and weighted over the 3 of 4 labels that evaluation texts have" in report
    names = re.findall('<th scope="row" dir="auto" data-value="([a-z]+)">', report)
    assert names[-1] == "returns"
    card = (folder / "model" / "README.md").read_text()
    assert "| accuracy | macro F1 of 3 of 4 labels |" in card
    assert "| returns | - | - | - | 0 |" in card
    evaluation = Evaluation.model_validate_json((folder / "evaluation.json").read_text())
    assert evaluation.classification is not None
    terminal().print(scores_table(result.evaluation), classes_table(evaluation.classification.worst_first))
    said = " ".join(capsys.readouterr().out.split())
    assert "evaluation texts; macro averages over 3 of 4 labels" in said
    assert "│ returns │ - │ - │ - │ 0 │" in said


def test_where_all_labels_were_evaluated_nothing_is_said_of_it(config: RunConfig) -> None:
    result = pipeline.run(changed(config, training={"max_epochs": 1}), lambda report: None)
    assert (result.evaluation.evaluated_labels, result.evaluation.labels) == (3, 3)
    assert "labels" not in result.evaluation.in_words()


def test_one_label_for_all_texts_is_told_from_averages_over_those_evaluated() -> None:
    supports = scores([[20, 0, 0], [40, 0, 0], [0, 0, 0]], ("a", "b", "never"))
    assert supports.averages.macro.f1 == pytest.approx(0.25)
    same = epoch(1, 0.9, accuracy=supports.accuracy, f1=supports.averages.macro.f1)
    curves = Curves(training_loss=FALLING, epochs=[epoch(0, 1.0), same])
    assert FindingType.ONE_LABEL in types(evidence(curves=curves, scores=supports))


def test_runs_that_were_not_evaluated_on_the_same_labels_are_told_apart() -> None:
    labels, predictions = label_names(4), single(4, 200)
    some = np.flatnonzero(predictions.targets != 3)
    fewer = type(predictions)(predictions.targets[some], predictions.logits[some], predictions.loss)
    runs = compare([a_report(one, labels, examples(one, labels)) for one in (predictions, fewer)])
    assert runs.remarks == [
        f"Not all runs were evaluated on these labels, so their averages differ: {labels[3]}"
    ]
