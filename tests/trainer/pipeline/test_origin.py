"""What makes checkpoints those of another run: settings, data, base model."""

from typing import Any

import pytest

from trainingrun_api.dataset import DataSource
from trainingrun_api.labels import Labels
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.progress import RunIdentity
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_api.training import Checkpoint
from trainingrun_trainer.pipeline.checkpoints import Origin
from trainingrun_trainer.records import RunRecord

from ..conftest import changed


def origin(config: RunConfig, data: str = "1", base: str = "2") -> Origin:
    model = ResolvedBaseModel(source="Default", digest=base)
    return Origin.of(RunRecord(config=config, dataset_sha256=data, base_model=model, versions={}))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"training": {"batch_size": 4, "seed": 7}}, ["spec.training.batchSize", "spec.training.seed"]),
        ({"labels": Labels(aliases={"a": "b"})}, ["spec.labels.aliases.a"]),
        ({"dataset": DataSource(uri="s3://bucket/other.csv")}, ["the data sets' places or fields"]),
        (
            {"dataset": DataSource(uri="s3://bucket/data", label_field="class")},
            ["the data sets' places or fields"],
        ),
    ],
)
def test_another_origin_is_named_by_what_differs(
    config: RunConfig, fields: dict[str, Any], named: list[str]
) -> None:
    config = changed(config, dataset=DataSource(uri="s3://bucket/data"))
    one, other = origin(config), origin(changed(config, **fields))
    assert one.digest != other.digest
    assert other.changes(one) == named


def test_other_content_is_another_origin(config: RunConfig) -> None:
    assert origin(config, data="3").changes(origin(config)) == ["the data sets' content"]
    assert origin(config, base="3").changes(origin(config)) == ["the base model"]


def test_what_leads_to_the_same_weights_is_the_same_origin(config: RunConfig) -> None:
    elsewhere = changed(
        config,
        training={"checkpoint": Checkpoint(keep=7)},
        run=RunIdentity(namespace="team", name="again", uid="2"),
        output_prefix="s3://elsewhere",
        storage=Storage(endpoint="http://example.com"),
    )
    assert origin(elsewhere).digest == origin(config).digest
