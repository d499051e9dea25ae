"""What a run leaves, to be compared with what another one left."""

import hashlib
from dataclasses import dataclass
from typing import Any

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_trainer.artifacts import Store, open_store

from ..conftest import untimed


@dataclass(frozen=True)
class Outcome:
    """The same for two runs whose models are the same to the bit, and score the same."""

    weights: str
    """SHA-256."""
    predictions: str
    """SHA-256."""
    evaluation: Evaluation
    """Without times."""


def outcome(config: RunConfig, storage: Storage | None = None) -> Outcome:
    """That of a run which is done; read without what stands before the store, where `storage` says how."""
    store = open_store(config.output_prefix, storage or config.storage)
    prefix = config.output_prefix
    assert store.exists(f"{prefix}/model/COMMITTED")
    written = Evaluation.model_validate_json(store.read(f"{prefix}/evaluation.json"))
    assert written.finished
    return Outcome(
        weights=_sha256(store, f"{prefix}/model/model.safetensors"),
        predictions=_sha256(store, f"{prefix}/predictions.parquet"),
        evaluation=untimed(written),
    )


def with_storage(config: RunConfig, storage: Storage, prefix: str, **fields: Any) -> RunConfig:
    """The same run from and to another place."""
    return config.model_copy(update={"storage": storage, "output_prefix": prefix, **fields})


def _sha256(store: Store, uri: str) -> str:
    return hashlib.sha256(store.read(uri)).hexdigest()
