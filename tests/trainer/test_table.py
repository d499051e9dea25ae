"""predictions.parquet holds what every score can be computed from again."""

import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from sklearn.metrics import confusion_matrix, f1_score, log_loss

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline


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
    assert [labels[index] for index in probabilities.argmax(axis=1)] == rows["predicted"]
    assert np.mean(rows["loss"]) == pytest.approx(written.loss, abs=1e-6)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert log_loss(rows["label"], probabilities, labels=labels) == pytest.approx(written.loss, abs=1e-5)
    scores = written.classification
    assert scores is not None
    f1 = f1_score(rows["label"], rows["predicted"], labels=labels, average="macro", zero_division=0)
    assert f1 == pytest.approx(scores.averages.macro.f1)
    expected = confusion_matrix(rows["label"], rows["predicted"], labels=labels)
    assert scores.confusion_matrix.counts == expected.tolist()


def test_each_row_is_the_text_the_model_saw(config: RunConfig) -> None:
    result = pipeline.run(config, lambda report: None)
    assert result.artifacts.predictions is not None
    rows = parquet.read_table(Path(result.artifacts.predictions.removeprefix("file://"))).to_pylist()
    source = Path(config.dataset.uri.removeprefix("file://")).read_text().splitlines()
    label_of = {row["text"]: row["label"] for row in map(json.loads, source)}
    assert [row["label"] for row in rows] == [label_of[row["text"]] for row in rows]
