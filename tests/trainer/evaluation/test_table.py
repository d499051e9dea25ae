"""predictions.parquet holds what every score can be computed from again."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from sklearn.metrics import confusion_matrix, f1_score, log_loss

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.evaluation import MultiLabelPredictions, predictions_table, to_parquet
from trainingrun_trainer.records import Example


def test_scores_can_be_computed_again(config: RunConfig) -> None:
    result = pipeline.run(config, lambda report: None)
    assert result.artifacts.predictions is not None
    table = parquet.read_table(Path(result.artifacts.predictions.removeprefix("file://")))
    written = Evaluation.model_validate_json(
        Path(result.artifacts.evaluation.removeprefix("file://")).read_text()
    )
    rows = table.to_pydict()
    labels = json.loads(table.schema.metadata[b"labels"])
    probabilities = np.array(rows["probabilities"], dtype=float)
    assert labels == written.labels
    assert table.num_rows == written.data.evaluation
    true, predicted = [label for (label,) in rows["labels"]], [label for (label,) in rows["predicted"]]
    assert [labels[index] for index in probabilities.argmax(axis=1)] == predicted
    assert np.mean(rows["loss"]) == pytest.approx(written.loss, abs=1e-6)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert log_loss(true, probabilities, labels=labels) == pytest.approx(written.loss, abs=1e-5)
    scores = written.classification
    assert scores is not None
    f1 = f1_score(true, predicted, labels=labels, average="macro", zero_division=0)
    assert f1 == pytest.approx(scores.averages.macro.f1)
    expected = confusion_matrix(true, predicted, labels=labels)
    assert scores.confusion_matrix.counts == expected.tolist()


def test_each_row_is_the_text_the_model_saw(config: RunConfig) -> None:
    result = pipeline.run(config, lambda report: None)
    assert result.artifacts.predictions is not None
    rows = parquet.read_table(Path(result.artifacts.predictions.removeprefix("file://"))).to_pylist()
    source = Path(config.dataset.uri.removeprefix("file://")).read_text().splitlines()
    label_of = {row["text"]: row["label"] for row in map(json.loads, source)}
    assert [row["labels"] for row in rows] == [[label_of[row["text"]]] for row in rows]


def test_sets_of_labels_and_context_are_kept() -> None:
    examples = [Example("one", ("a", "b"), ("mail",), "s3://b/x"), Example("two", (), ("",), "tickets")]
    logits = np.array([[1, -1, -2], [-1, 3, -3]], dtype=np.float32)
    predictions = MultiLabelPredictions(np.array([[1, 1, 0], [0, 0, 0]]), logits, loss=0)
    rows = parquet.read_table(
        BytesIO(to_parquet(predictions_table(examples, ["a", "b", "c"], predictions)))
    ).to_pylist()
    assert [row["labels"] for row in rows] == [["a", "b"], []]
    assert [(row["context"], row["source"]) for row in rows] == [(["mail"], "s3://b/x"), ([""], "tickets")]
    assert rows[1]["probabilities"] == pytest.approx([0.269, 0.953, 0.047], abs=1e-3)
