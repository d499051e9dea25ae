"""Publish model and evaluation; find what an earlier attempt has published already."""

import math
from typing import Any

from pydantic import ValidationError

from trainingrun_api.advice import MAX_FINDINGS
from trainingrun_api.artifacts import ArtifactPaths, Artifacts
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.status import EpochSummary, RunResult

from ..artifacts import Store, commit_folder, is_committed
from ..errors import ObjectMissingError, TrainerError
from ..evaluation import headline
from ..model import TextModel
from ..tasks import Task
from .session import Run

NOISE = 1e-3
"""Most that two evaluation losses of the same weights differ by, as a share and in nats: other hardware adds
in another order, and adapters are merged. The same weights came within 1e-5."""


def published(store: Store, paths: ArtifactPaths) -> Evaluation | None:
    """The evaluation of a run that came to its end before; None when it didn't."""
    if not is_committed(store, paths.model):
        return None
    try:
        evaluation = Evaluation.model_validate_json(store.read(paths.evaluation), extra="ignore")
    except (ObjectMissingError, ValidationError):
        return None
    return evaluation if evaluation.finished else None


def write_evaluation(store: Store, paths: ArtifactPaths, evaluation: Evaluation) -> None:
    """Write evaluation.json. Raises ValidationError, before anything is written, for one that can't be read.

    A value that was made by the contract's models may hold what they refuse: JSON has no NaN, and copies are
    not checked.
    """
    content = evaluation.model_dump_json(indent=2).encode()
    Evaluation.model_validate_json(content)
    store.write(paths.evaluation, content)


def require_weights_of(best: EpochSummary, loss: float) -> None:
    """Raises TrainerError when a model with this evaluation loss is not the one of the `best` epoch."""
    if not math.isclose(loss, best.evaluation_loss, rel_tol=NOISE, abs_tol=NOISE):
        raise TrainerError(
            f"the weights to be published have an evaluation loss of {loss:.4f}, but those of epoch "
            f"{best.epoch}, the best, had {best.evaluation_loss:.4f}: they are others, and nothing is "
            "published; apply the run under a new name, and report this as a bug"
        )


def publish(run: Run, task: Task[Any, Any], model: TextModel, evaluation: Evaluation) -> None:
    """Commit the model folder, then write evaluation.json, which says that all is there."""
    work = run.work / "model"
    work.mkdir()
    task.save(model, evaluation, work)
    commit_folder(run.store, work, run.paths.model)
    timing = evaluation.timing.model_copy(update={"stages": run.progress.seconds()})
    write_evaluation(run.store, run.paths, evaluation.model_copy(update={"timing": timing}))


def result(evaluation: Evaluation, artifacts: Artifacts) -> RunResult:
    """What the termination message says."""
    return RunResult(
        best_epoch=evaluation.best_epoch,
        epochs=evaluation.curves.epochs[-1].epoch,
        stopped_early=evaluation.stopped_early,
        evaluation=headline(evaluation),
        final_fit=evaluation.final_fit,
        artifacts=artifacts,
        base_model=evaluation.base_model.model_copy(update={"lineage": []}),
        advice=evaluation.advice[:MAX_FINDINGS],
    )
