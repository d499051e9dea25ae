"""What is written of a run while it trains: how often, and that it leaves training alone."""

import json
import logging
import time
from pathlib import Path
from typing import cast

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.metrics import Scores
from trainingrun_api.run_config import Storage
from trainingrun_api.status import EpochSummary
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import StorageUnavailableError
from trainingrun_trainer.pipeline.results import LiveResults, write_evaluation
from trainingrun_trainer.pipeline.session import RunSession
from trainingrun_trainer.report import Report
from trainingrun_trainer.time_share import TimeShare
from trainingrun_trainer.training import EpochDone, Outcome

from ..report.reports import a_report, label_names, single

SCHEMA = Path(__file__).resolve().parents[3] / "docs/evaluation.schema.json"

DONE = EpochDone(
    EpochSummary(epoch=1, training_loss=1, evaluation_loss=1, learning_rate=0),
    is_best=True,
    is_last=False,
    outcome=Outcome(loss=1.0, scores=Scores(), output=None),
)


def test_it_takes_a_tenth_of_the_time_at_most() -> None:
    share = TimeShare(expected_seconds=2.0)
    begun = time.monotonic()
    assert not share.due(begun + 15)
    assert share.due(begun + 25)
    with share.taken():
        pass
    assert share.due(time.monotonic() + 0.01)


def test_storage_trouble_is_told_and_the_random_numbers_of_training_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def results(outcome: Outcome[None]) -> Report:
        torch.rand(1)
        raise StorageUnavailableError("the store is down")

    before = torch.get_rng_state()
    with caplog.at_level(logging.WARNING):
        LiveResults(cast("RunSession", None), results).after_epoch(DONE)
    assert "Interim results could not be written: the store is down" in caplog.text
    assert torch.get_rng_state().equal(before)


@pytest.fixture
def evaluation() -> Evaluation:
    return a_report(single(3, 20), label_names(3)).evaluation


def test_an_evaluation_that_breaks_the_contract_is_not_written(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    paths = ArtifactPaths(tmp_path.as_uri())
    store = open_store(paths.prefix, Storage())
    assert evaluation.classification is not None
    impossible = evaluation.classification.model_copy(update={"accuracy": 1.5})
    for change, field in (({"loss": float("nan")}, "loss"), ({"classification": impossible}, "accuracy")):
        with pytest.raises(ValidationError, match=field):
            write_evaluation(store, paths, evaluation.model_copy(update=change))
    assert not store.exists(paths.evaluation)


def test_what_is_written_is_what_the_published_schema_describes(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    paths = ArtifactPaths(tmp_path.as_uri())
    write_evaluation(open_store(paths.prefix, Storage()), paths, evaluation)
    written = (tmp_path / "evaluation.json").read_text()
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    validator.validate(json.loads(written))
    assert not validator.is_valid(json.loads(written) | {"bestEpoch": "last"})
    assert Evaluation.model_validate_json(written) == evaluation
