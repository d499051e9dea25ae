"""Runs on some of the labels."""

import json
from pathlib import Path

import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig
from trainingrun_api.spec import TaskType
from trainingrun_trainer import pipeline

from ..conftest import changed, write_jsonl


def trained(config: RunConfig, labels: Labels) -> tuple[Evaluation, list[str]]:
    """What was written of a run of one epoch, and the labels of its model."""
    pipeline.run(changed(config, labels=labels, training={"max_epochs": 1}), lambda report: None)
    out = Path(config.output_prefix.removeprefix("file://"))
    names = json.loads((out / "model" / "config.json").read_text())["id2label"]
    return Evaluation.model_validate_json((out / "evaluation.json").read_text()), list(names.values())


@pytest.mark.parametrize("labels", [Labels(exclude=["login"]), Labels(include=["billing", "delivery"])])
def test_texts_of_other_labels_are_left_out_and_counted(config: RunConfig, labels: Labels) -> None:
    evaluation, names = trained(config, labels)
    assert evaluation.labels == names == ["billing", "delivery"]
    assert (evaluation.data.read, evaluation.data.filtered) == (60, 20)
    assert evaluation.data.training + evaluation.data.evaluation == 40
    assert evaluation.settings.labels == labels


def test_names_of_one_label_are_learned_as_one(config: RunConfig) -> None:
    evaluation, names = trained(config, Labels(aliases={"login": "account", "delivery": "account"}))
    assert evaluation.labels == names == ["account", "billing"]
    assert [(count.label, count.texts) for count in evaluation.data.sources[0].labels] == [
        ("account", 40),
        ("billing", 20),
    ]


def test_of_several_labels_one_is_dropped_and_the_text_stays(config: RunConfig, tmp_path: Path) -> None:
    kinds = (["billing"], ["login"], ["billing", "spam"], ["login", "billing"], ["spam"])
    rows = [{"text": f"{' '.join(kind)} {n}", "label": kind} for n in range(12) for kind in kinds]
    several = changed(
        config,
        dataset=DataSource(uri=write_jsonl(tmp_path / "several.jsonl", rows)),
        task_type=TaskType.MULTI_LABEL_CLASSIFICATION,
    )
    evaluation, names = trained(several, Labels(exclude=["spam"]))
    assert names == ["billing", "login"]
    assert evaluation.data.filtered == 12  # those that had it alone
    (source,) = evaluation.data.sources
    assert [(count.label, count.texts) for count in source.labels] == [("billing", 36), ("login", 24)]
