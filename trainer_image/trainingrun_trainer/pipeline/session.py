"""What runs of all tasks share: their places, their record, the way from a checkpoint to the last epoch."""

import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from trainingrun_api.evaluation import BaselineMethod
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import Reason

from ..artifacts import PatientStore
from ..errors import GraceOver, Interrupted, SettingsError
from ..interruption import Interruption
from ..records import RunRecord
from ..trackers import Snapshot, Tracker
from ..training import Diverged, EpochDone, History, StageStepDone, StepDone, Trainee, fit
from .checkpoints import Checkpoints
from .origin import Origin
from .places import Places
from .progress import ProgressTracker
from .uploads import Uploads

log = logging.getLogger(__name__)

DECIDING_LIBRARIES = ("torch", "transformers", "sentence-transformers", "accelerate", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """What all stages share."""

    config: RunConfig
    store: PatientStore
    places: Places
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


def record(run: Run, dataset: str | None, base_model: ResolvedBaseModel | None) -> RunRecord:
    """Write run.json with what is known so far, and give it."""
    versions = {"python": platform.python_version()} | {name: version(name) for name in DECIDING_LIBRARIES}
    made_of = RunRecord(config=run.config, dataset_sha256=dataset, base_model=base_model, versions=versions)
    run.store.write(run.places.run, made_of.model_dump_json(indent=2).encode())
    return made_of


def log_recipe(trainee: Trainee, max_tokens: int, truncated: int) -> None:
    """Say how the model is about to be trained."""
    recipe = trainee.recipe
    log.info(
        "Model: %.1f million parameters, %.1f trained; texts cut after %d tokens (%d are longer), on %s, "
        "precision %s",
        recipe.parameters / 1e6,
        recipe.trained_parameters / 1e6,
        max_tokens,
        truncated,
        trainee.accelerator.device,
        recipe.mixed_precision,
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


def train(run: Run, trainee: Trainee, origin: Origin, after_epoch: Callable[[EpochDone], None]) -> None:
    """Go on from the last checkpoint of this `origin`; `run.best` holds the best weights then.

    `after_epoch` is called once an epoch is saved. What is trained is saved before Interrupted is passed on.
    """
    keep = run.config.training.checkpoint.keep
    with Uploads(run.store) as uploads:
        checkpoints = Checkpoints(run.store, run.places.checkpoints, origin, keep, uploads)
        if not checkpoints.resume(trainee, run.best, run.work / "fetched"):
            _begin_anew(run, trainee, checkpoints)
        _begin(run, trainee)
        run.trackers.update(Snapshot(trainee.recipe, trainee.history.curves))
        trainee.heed = run.interruption.heed
        with run.interruption.put_off(lambda: bool(trainee.history.epochs)):
            _fit_or_save(run, trainee, checkpoints, after_epoch)
            uploads.finish()


def _fit_or_save(
    run: Run, trainee: Trainee, checkpoints: Checkpoints, after_epoch: Callable[[EpochDone], None]
) -> None:
    """Train; when that is interrupted, save what is trained before Interrupted is passed on."""
    try:
        _fit(run, trainee, checkpoints, after_epoch)
    except GraceOver:
        raise  # wherever it was
    except Interrupted:
        if trainee.history.epochs:
            checkpoints.save(trainee, run.best, run.waiting)
            checkpoints.uploads.finish()
        raise


def _fit(
    run: Run, trainee: Trainee, checkpoints: Checkpoints, after_epoch: Callable[[EpochDone], None]
) -> None:
    for event in fit(trainee, run.config.training):
        match event:
            case StageStepDone():
                run.progress.stage_step(event)
            case StepDone():
                run.progress.step(event)
            case EpochDone():
                _end_epoch(run, trainee, event, checkpoints)
                after_epoch(event)
            case Diverged():
                best = trainee.history.best.epoch
                log.warning("Training ends early: %s. The best epoch is %d", event.message, best)


def _begin_anew(run: Run, trainee: Trainee, checkpoints: Checkpoints) -> None:
    """Where there is no checkpoint of this run, go on from the one it names, or tell why there is none."""
    earlier = run.config.resume_from
    if earlier is None:
        _tell_of_change(run, checkpoints)
        return
    there = replace(checkpoints, folder=Places(earlier).checkpoints, saved=set(), broken=set())
    if not there.resume(trainee, run.best, run.work / "fetched"):
        changed = there.changes()
        why = f": {', '.join(changed)} changed" if changed else ""
        raise SettingsError(
            f"spec.resumeFrom: there is no whole checkpoint of the same data, settings and base model under "
            f"{there.folder}{why}; apply a run with what that one had, or leave resumeFrom out"
        )


def _tell_of_change(run: Run, checkpoints: Checkpoints) -> None:
    """Say why training starts over, if it does."""
    changed = checkpoints.changes()
    if changed:
        why = f"{', '.join(changed)} changed since an earlier attempt, whose checkpoints are not used"
    elif checkpoints.broken:
        why = "no checkpoint of an earlier attempt is whole"
    else:
        return
    log.warning("Training starts over: %s", why)
    run.progress.notice(Reason.STARTED_OVER, f"Training started over: {why}")


def _begin(run: Run, trainee: Trainee) -> None:
    run.progress.training(trainee.max_epochs, trainee.recipe.total_steps, trainee.steps, trainee.history)


def _end_epoch(run: Run, trainee: Trainee, done: EpochDone, checkpoints: Checkpoints) -> None:
    run.progress.epoch(trainee.history)
    run.trackers.update(Snapshot(trainee.recipe, trainee.history.curves))
    epoch = done.summary
    log.info(
        "%s: training loss %.4f, evaluation loss %.4f%s%s",
        _epoch_name(epoch.epoch, trainee),
        epoch.training_loss,
        epoch.evaluation_loss,
        "".join(f", {name} {score:.3f}" for name, score in epoch.scores.items()),
        " (best so far)" if done.is_best else "",
    )
    if done.is_best:
        trainee.save_weights(run.best)
    if epoch.epoch == 0:
        _log_stage(trainee.history)
        _begin(run, trainee)
    every = run.config.training.checkpoint.every_epochs
    after_stage = epoch.epoch == 0 and trainee.history.stage is not None
    if done.is_last or after_stage or (epoch.epoch and epoch.epoch % every == 0):
        checkpoints.save(trainee, run.best, run.waiting)


def _log_stage(history: History) -> None:
    stage, before = history.stage, history.baseline.scores
    if stage is not None:
        log.info(
            "Similarity stage, %d steps of %d pairs: evaluation loss from %.4f to %.4f, %s",
            stage.steps,
            stage.pairs,
            before.evaluation_loss,
            stage.scores.evaluation_loss,
            "kept" if stage.kept else "undone, since the baseline is better",
        )


def _epoch_name(epoch: int, trainee: Trainee) -> str:
    history = trainee.history
    if epoch:
        return f"Epoch {epoch} of {trainee.max_epochs}"
    if history.stage and history.stage.kept:
        return "Epoch 0 (after the similarity stage, logistic regression)"
    regression = history.method is BaselineMethod.LOGISTIC_REGRESSION
    return f"Epoch 0 ({'frozen body, logistic regression' if regression else 'the model as it was loaded'})"
