"""What MLflow is told of a run."""

from dataclasses import dataclass

from trainingrun_api.artifacts import Artifacts
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.progress import RunIdentity

from ..artifacts import Store
from .tracker import Ending, Snapshot


@dataclass(frozen=True)
class Subject:
    """What is tracked: what of a run is known from its beginning."""

    run: RunIdentity
    model_name: str
    parameters: dict[str, str]
    """Settings, by their paths in the spec."""
    artifacts: Artifacts
    store: Store
    """Where these are."""


@dataclass(frozen=True)
class State:
    """All that the server is to know by now."""

    snapshot: Snapshot | None = None
    ending: Ending | None = None
    evaluation: Evaluation | None = None
