"""The fit on all texts, once an epoch is chosen and scored: its model is published."""

import logging
from functools import partial

from accelerate.utils.random import set_seed

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.training import MixedPrecision, SimilarityStage, Training

from ..tasks import Anew
from ..training import (
    Diverged,
    DivergedError,
    EpochDone,
    TrainState,
    prepare,
)
from .checkpoints import Origin
from .fitting import Fit, Landmark, checkpoints_under
from .session import RunSession

log = logging.getLogger(__name__)

MOST_LOSS = 1.1
"""Times the best epoch's loss on the evaluation split, up to which the final fit is kept. It has learned
these texts, so that its loss is far lower where nothing is wrong; by a tenth it moves from epoch to epoch."""


def fit_anew(run: RunSession, first: TrainState, anew: Anew, origin: Origin) -> FinalFit:
    """Fit the network of `first`, which has the weights of its best epoch, anew on all texts.

    It has the weights to be published then: the new ones, or where the fit failed, those of the best epoch.
    """
    best, chosen = first.history.best, run.work / "chosen"
    first.save_weights(chosen)
    first.release()
    final = FinalFit(texts=anew.texts, epochs=best.epoch, kept=False)
    log.info("Final fit: %s", final.course)
    settings = _pinned(run.config.training, first)
    state = _train_state(first, anew, settings)
    loss = _fit(run, state, settings, origin)
    state.merge_adapters()
    kept = loss is not None and loss <= MOST_LOSS * best.evaluation_loss
    if not kept:
        log.warning("The final fit failed; epoch %d is published", best.epoch)
        first.load_weights(chosen)
    return final.model_copy(update={"loss": loss, "kept": kept})


def _train_state(first: TrainState, anew: Anew, settings: Training) -> TrainState:
    anew.untrained.restore()
    set_seed(settings.seed)
    state = prepare(anew.objective(), settings)
    state.chosen_epochs, state.parts = first.history.best.epoch, first.parts
    return state


def _pinned(settings: Training, first: TrainState) -> Training:
    """The settings, with all decided that the first fit decided by its texts or machine."""
    recipe, stage = first.recipe, first.history.stage
    kept, bf16 = stage is not None and stage.kept, recipe.mixed_precision == "bf16"
    return settings.model_copy(
        update={
            "max_epochs": recipe.max_epochs,
            "learning_rate": recipe.learning_rate,
            "layer_decay": recipe.layer_decay,
            "adversarial_epsilon": recipe.adversarial_epsilon,
            "mixed_precision": MixedPrecision.BF16 if bf16 else MixedPrecision.FP32,
            "similarity_stage": SimilarityStage.ALWAYS if kept else SimilarityStage.NEVER,
        }
    )


def _fit(run: RunSession, state: TrainState, settings: Training, origin: Origin) -> float | None:
    """Train, going on from a checkpoint; gives the evaluation loss, None when it is not finite."""
    epochs = state.chosen_epochs or 0
    with checkpoints_under(run, run.paths.final_checkpoints(epochs), origin) as checkpoints:
        fit = Fit(run, state, settings, checkpoints, best=None)
        earlier = run.config.resume_from
        if not fit.resume() and earlier is not None:
            fit.resume(ArtifactPaths(earlier).final_checkpoints(epochs))
        _begin(fit)
        try:
            fit.go_on(partial(_hear, fit))
        except DivergedError as error:  # in the similarity stage
            log.warning("The final fit ends early: %s", error)
            return None
    history = state.history
    return None if history.divergence else history.epochs[-1].evaluation_loss


def _begin(fit: Fit) -> None:
    state = fit.state
    steps = state.steps_per_epoch * (state.chosen_epochs or 0)
    fit.run.progress.final_fit(steps, state.steps)


def _hear(fit: Fit, event: Landmark) -> None:
    match event:
        case EpochDone():
            _end_epoch(fit, event)
        case Diverged():
            log.warning("The final fit ends early: %s", event.message)


def _end_epoch(fit: Fit, done: EpochDone) -> None:
    epoch = done.summary
    log.info(
        "Final fit, epoch %d of %d: training loss %.4f",
        epoch.epoch,
        fit.state.chosen_epochs,
        epoch.training_loss,
    )
    if epoch.epoch == 0:
        _begin(fit)
    fit.save_if_due(done)
