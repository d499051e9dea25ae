"""A run whose texts have several labels, from the file to what is published."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import BaseModelSource, RunConfig
from trainingrun_api.status import RunResult
from trainingrun_api.tasks import TaskType
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import DataError

from ..conftest import changed, write_jsonl
from ..training.test_multilabel_training import examples


def path_of(uri: str | None) -> Path:
    assert uri is not None
    return Path(uri.removeprefix("file://"))


@pytest.fixture
def several(config: RunConfig, tmp_path: Path) -> RunConfig:
    rows: list[dict[str, Any]] = [{"text": one.text, "label": list(one.labels)} for one in examples()]
    unlabelled = [{"text": "nobody has labelled this", "label": []}]
    uri = write_jsonl(tmp_path / "several.jsonl", rows + unlabelled)
    return changed(config, dataset=DataSource(uri=uri), task_type=TaskType.MULTI_LABEL_CLASSIFICATION)


def train(config: RunConfig) -> tuple[RunResult, Evaluation]:
    result = pipeline.run(config, lambda report: None)
    return result, Evaluation.model_validate_json(path_of(result.artifacts.evaluation).read_text())


def printed_by_card(model: Path, texts: list[str], capsys: pytest.CaptureFixture[str]) -> list[set[str]]:
    """Labels that the snippet of the model card prints for these texts."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (model / "README.md").read_text(), flags=re.DOTALL)
    snippet = snippet.replace("path/to/this/folder", str(model))
    snippet = snippet.replace('["a text", "another text"]', json.dumps(texts))
    capsys.readouterr()
    exec(snippet, {})
    lines = capsys.readouterr().out.splitlines()
    return [set(re.findall(r"\('(\w+)', [0-9.e-]+\)", line)) for line in lines if line.startswith("[")]


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_scores_are_those_of_the_published_model_at_its_threshold(
    several: RunConfig, kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    base = BaseModelSource(uri=request.getfixturevalue(kind).as_uri())
    result, evaluation = train(changed(several, base_model=base))
    scores = evaluation.classification
    assert scores is not None
    assert scores.threshold is not None
    assert evaluation.data.unlabelled == 1
    assert result.evaluation.f1 == round(scores.averages.macro.f1, 4)
    model = path_of(result.artifacts.model)
    assert json.loads((model / "config.json").read_text())["threshold"] == scores.threshold.value
    table = parquet.read_table(path_of(result.artifacts.predictions)).to_pydict()
    given = np.array(table["probabilities"], dtype=float) >= scores.threshold.value
    named = [{evaluation.labels[index] for index in row.nonzero()[0]} for row in given]
    assert named == [set(labels) for labels in table["predicted"]]
    assert np.mean(table["loss"]) == pytest.approx(evaluation.loss, rel=1e-5)
    exact = [set(labels) == found for labels, found in zip(table["labels"], named, strict=True)]
    assert np.mean(exact) == pytest.approx(scores.accuracy)
    assert printed_by_card(model, table["text"], capsys) == named


def test_training_tells_the_labels_apart(several: RunConfig) -> None:
    result, evaluation = train(changed(several, training={"max_epochs": 10}))
    assert result.evaluation.f1 is not None
    assert result.evaluation.f1 > 0.8
    best = next(epoch for epoch in evaluation.curves.epochs if epoch.epoch == result.best_epoch)
    assert best.f1 is not None
    assert result.evaluation.f1 == pytest.approx(best.f1, abs=1e-4)


def test_an_interrupted_run_ends_as_an_undisturbed_one(several: RunConfig, tmp_path: Path) -> None:
    _, expected = train(several)

    def stop(report: ProgressReport) -> None:
        if report.progress.step == 14:
            raise KeyboardInterrupt

    again = changed(several, output_prefix=(tmp_path / "again").as_uri())
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(again, stop)
    _, evaluation = train(again)
    assert evaluation.loss == expected.loss
    assert evaluation.classification == expected.classification


def test_a_run_of_one_label_a_text_starts_from_one_of_several(several: RunConfig, config: RunConfig) -> None:
    first, _ = train(several)
    source = BaseModelSource(uri=first.artifacts.model, from_run="several")
    _, evaluation = train(changed(config, base_model=source, output_prefix=config.output_prefix + "-one"))
    assert evaluation.classification is not None
    assert evaluation.classification.threshold is None
    assert evaluation.base_model.from_run == "several"


@pytest.mark.parametrize(
    ("task", "advice"),
    [
        (TaskType.CLASSIFICATION, r"Classification gives .* use taskType MultiLabelClassification"),
        (TaskType.TEXT_SIMILARITY, r"TextSimilarity brings .* one, or name .*spec\.dataset\.labelField$"),
    ],
)
def test_several_labels_are_refused_where_a_text_has_one(
    several: RunConfig, task: TaskType, advice: str
) -> None:
    with pytest.raises(DataError, match=f"holds 2 labels .*, and {advice}"):
        train(changed(several, task_type=task))
