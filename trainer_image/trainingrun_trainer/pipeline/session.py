"""What runs of all tasks share: their paths, their record."""

import logging
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import Reason

from ..artifacts import PatientStore, Turn
from ..distributed import at_first, size
from ..interruption import Interruption
from ..records import RunRecord
from ..trackers import Tracker
from ..training import TrainState
from .progress import ProgressTracker

log = logging.getLogger(__name__)

UNCONDITIONAL = (
    "The object store has no conditional writes (If-None-Match): if a pod on a lost node and its successor "
    "commit the same folder at the same moment, what is there may be of both. It differs from its "
    "manifest.json then: such a checkpoint isn't used, a model should be compared before it is"
)
"""What is lost by such a store."""

DECIDING_LIBRARIES = ("torch", "transformers", "sentence-transformers", "accelerate", "scikit-learn")


@dataclass(frozen=True)
class RunSession:
    """What all stages share."""

    config: RunConfig
    store: PatientStore
    turn: Turn
    paths: ArtifactPaths
    progress: ProgressTracker
    trackers: Tracker
    work: Path
    """A folder for everything that is not kept."""
    interruption: Interruption
    """Says when the run is to stop."""

    @property
    def best(self) -> Path:
        """Folder of the best epoch's weights so far."""
        return self.work / "best"

    @property
    def waiting(self) -> Path:
        """Folder of the checkpoints that are not uploaded yet."""
        return self.work / "waiting"


def record(run: RunSession, dataset: str | None, base_model: ResolvedBaseModel | None) -> RunRecord:
    """Have the first process write run.json with what is known so far; gives it."""
    versions = {"python": platform.python_version()} | {name: version(name) for name in DECIDING_LIBRARIES}
    made_of = RunRecord(config=run.config, dataset_sha256=dataset, base_model=base_model, versions=versions)
    at_first(lambda: run.store.write(run.paths.run, made_of.model_dump_json(indent=2).encode()))
    return made_of


def take_turn(run: RunSession) -> None:
    """Have this attempt write in place of earlier ones; say so where the store has no conditional writes."""
    if at_first(run.turn.take) is False:
        log.warning("%s", UNCONDITIONAL)
        run.progress.notice(Reason.UNCONDITIONAL_WRITES, UNCONDITIONAL)


def log_recipe(state: TrainState, max_tokens: int, truncated: int) -> None:
    """Say how the model is about to be trained."""
    recipe = state.recipe
    log.info(
        "Model: %.1f million parameters, %.1f trained; texts cut after %d tokens (%d are longer), on %s, "
        "precision %s, %d processes",
        recipe.parameters / 1e6,
        recipe.trained_parameters / 1e6,
        max_tokens,
        truncated,
        state.accelerator.device,
        recipe.mixed_precision,
        size(),
    )
    log.info(
        "Recipe: learning rate %g, layer decay %g, %d steps of %d texts, the first %d to warm up; "
        "adversarial epsilon %g",
        recipe.learning_rate,
        recipe.layer_decay,
        recipe.total_steps,
        recipe.batch_size * recipe.gradient_accumulation_steps,
        recipe.warmup_steps,
        recipe.adversarial_epsilon,
    )
