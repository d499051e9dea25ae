"""A tiny run in a real object store, and what it leaves when nothing happens to it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from localcluster import S3Server
from trainingrun_api.dataset import DataSource
from trainingrun_api.names import ExitCode
from trainingrun_api.run_config import BaseModelSource, RunConfig, Storage
from trainingrun_api.training import EarlyStopping, SimilarityStage
from trainingrun_trainer.artifacts import open_store

from ..conftest import changed, tickets, write_jsonl
from .attempts import Attempt
from .outcome import Outcome, outcome


@dataclass(frozen=True)
class World:
    """A run whose data, base model and output are in the object store."""

    config: RunConfig
    outcome: Outcome
    """Of the undisturbed run."""
    log: str
    """Of the undisturbed run."""
    server: S3Server
    keys: dict[str, str]
    """Environment variables with the server's keys."""

    @property
    def storage(self) -> Storage:
        """The store without anything before it."""
        return self.config.storage

    def run_at(self, name: str, endpoint: str | None = None, patience: int = 600) -> RunConfig:
        """The same run with another output, that reaches the store at this endpoint."""
        storage = self.storage.model_copy(
            update={"endpoint": endpoint or self.server.endpoint, "patience_seconds": patience}
        )
        return changed(self.config, storage=storage, output_prefix=f"s3://bucket/faults/{name}")


@pytest.fixture(scope="session")
def world(s3: S3Server, pooled_model: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With all stages: a similarity stage, three epochs and a final fit."""
    folder = tmp_path_factory.mktemp("world")
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    storage = Storage(endpoint=s3.endpoint, patience_seconds=600)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        store = open_store("s3://bucket", storage)
        write_jsonl(folder / "tickets.jsonl", tickets())
        store.upload(folder / "tickets.jsonl", "s3://bucket/faults/tickets.jsonl")
        for file in pooled_model.rglob("*"):
            if file.is_file():
                store.upload(file, f"s3://bucket/faults/model/{file.relative_to(pooled_model)}")
        config = RunConfig.model_validate(
            {
                "run": {"namespace": "team", "name": "tickets", "uid": "1"},
                "modelName": "tickets",
                "taskType": "Classification",
                "baseModel": BaseModelSource(uri="s3://bucket/faults/model"),
                "dataset": DataSource(uri="s3://bucket/faults/tickets.jsonl"),
                "trainPercent": 80,
                "training": {
                    "maxEpochs": 3,
                    "batchSize": 8,
                    "learningRate": 1e-3,
                    "mixedPrecision": "FP32",
                    "similarityStage": SimilarityStage.ALWAYS,
                    "earlyStopping": EarlyStopping(patience=100),
                    "finalFit": True,
                },
                "outputPrefix": "s3://bucket/faults/undisturbed",
                "storage": storage,
            }
        )
        attempt = Attempt(config, folder / "pod", keys)
        assert attempt.end() == ExitCode.OK, attempt.log
        return World(config, outcome(config), attempt.log, s3, keys)


@pytest.fixture
def keys(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The server's, also in the environment of the test."""
    for name, value in world.keys.items():
        monkeypatch.setenv(name, value)
    return world.keys
