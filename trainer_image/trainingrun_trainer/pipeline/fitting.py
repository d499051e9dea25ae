"""A fit of a run, saved so that nothing of it is lost, and the fit that chooses an epoch."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.evaluation import BaselineMethod
from trainingrun_api.status import Reason
from trainingrun_api.training import Training

from ..distributed import agree, at_first, is_first, meet, node_folder
from ..errors import GraceOver, Interrupted, PeerInterrupted, PeerLostError, SettingsError
from ..trackers import Snapshot
from ..training import (
    Decision,
    Diverged,
    EpochDone,
    Event,
    History,
    SaveDue,
    StageStepDone,
    StepDone,
    TrainState,
    fit,
)
from .checkpoints import Checkpoints, Origin, Uploads
from .session import RunSession

log = logging.getLogger(__name__)

MINUTE = 60.0
"""Seconds."""

Landmark = EpochDone | Diverged
"""What a fit says beside its steps."""


@contextmanager
def checkpoints_under(run: RunSession, folder: str, origin: Origin) -> Iterator[Checkpoints]:
    """Those of a run, uploaded beside what is done within the `with` block."""
    with Uploads(run.store) as uploads:
        yield Checkpoints(run.store, run.turn, folder, origin, run.config.training.checkpoint.keep, uploads)


@dataclass
class Fit:
    """A state and its checkpoints."""

    run: RunSession
    state: TrainState
    settings: Training
    checkpoints: Checkpoints
    best: Path | None
    """Folder of the best epoch's weights; None where no epoch is chosen."""
    saved_at: float = field(default_factory=time.monotonic, init=False)
    """When the latest checkpoint was made, or the fit began, by the monotonic clock."""

    def resume(self, folder: str | None = None) -> bool:
        """Go on from the last whole checkpoint, of those under another `folder` where one is named; False
        when there is none."""
        checkpoints = self.checkpoints if folder is None else self.checkpoints.at(folder)
        return checkpoints.resume(self.state, self.best, node_folder(self.run.work) / "fetched")

    def go_on(self, hear: Callable[[Landmark], None]) -> None:
        """Train to the end; what is trained is saved before Interrupted is passed on. Steps are progress."""
        self.state.decide = self._decide
        with self.run.interruption.put_off(lambda: self.state.worth_saving):
            try:
                for event in fit(self.state, self.settings):
                    self._take(event, hear)
            except (GraceOver, PeerLostError):
                raise  # wherever it was
            except Interrupted:
                if self.state.worth_saving:
                    self.save()
                    self._finish()
                if not self.run.interruption.asked:
                    raise PeerInterrupted from None
                raise
            self._finish()

    def _finish(self) -> None:
        """Wait until the last checkpoint is uploaded."""
        self.checkpoints.uploads.finish()
        meet()

    def _take(self, event: Event, hear: Callable[[Landmark], None]) -> None:
        match event:
            case StageStepDone():
                self.run.progress.stage_step(event)
            case StepDone():
                self.run.progress.step(event)
            case SaveDue():
                self.save()
            case EpochDone() | Diverged():
                hear(event)
                meet()  # the first process may have taken long

    def _decide(self) -> Decision:
        """What all processes do after the same step: stop when one is to, save when the first one says so."""
        return Decision(agree(self._own_decision()))

    def _own_decision(self) -> Decision:
        if self.run.interruption.asked:
            return Decision.STOP
        if not is_first():
            return Decision.GO_ON
        seconds = self.settings.checkpoint.every_minutes * MINUTE
        # Training would wait for the upload before, were another one added.
        due = time.monotonic() - self.saved_at >= seconds and not self.checkpoints.uploads.busy
        return Decision.SAVE if due else Decision.GO_ON

    def save_if_due(self, done: EpochDone) -> None:
        """Save after the epochs that the settings ask for, the last, and epoch 0 after a similarity stage."""
        epoch, every = done.summary.epoch, self.settings.checkpoint.every_epochs
        after_stage = epoch == 0 and self.state.history.stage is not None
        if done.is_last or after_stage or (epoch and epoch % every == 0):
            self.save()

    def save(self) -> None:
        """Have a checkpoint of what is trained committed beside training, by the first process."""
        self.saved_at = time.monotonic()
        self.checkpoints.save(self.state, self.best, self.run.waiting)


def choose_epoch(
    run: RunSession, state: TrainState, origin: Origin, after_epoch: Callable[[EpochDone], None]
) -> None:
    """Train, going on from the last checkpoint of this `origin`; `run.best` holds the best weights then.

    `after_epoch` is called once an epoch is saved. What is trained is saved before Interrupted is passed on.
    """
    with checkpoints_under(run, run.paths.checkpoints, origin) as checkpoints:
        fit = Fit(run, state, run.config.training, checkpoints, run.best)
        if not fit.resume():
            _begin_anew(fit)
        _begin(run, state)
        run.trackers.update(Snapshot(state.recipe, state.history.curves))
        fit.go_on(partial(_hear, fit, after_epoch))


def _hear(fit: Fit, after_epoch: Callable[[EpochDone], None], event: Landmark) -> None:
    match event:
        case EpochDone():
            _end_epoch(fit, event)
            after_epoch(event)
        case Diverged():
            best = fit.state.history.best.epoch
            log.warning("Training ends early: %s. The best epoch is %d", event.message, best)


def _begin_anew(fit: Fit) -> None:
    """Where there is no checkpoint of this run, go on from the one it names, or tell why there is none."""
    earlier = fit.run.config.resume_from
    if earlier is None:
        at_first(partial(_tell_of_change, fit))
        return
    folder = ArtifactPaths(earlier).checkpoints
    if not fit.resume(folder):
        at_first(partial(_refuse, fit, folder))


def _refuse(fit: Fit, folder: str) -> NoReturn:
    changed = fit.checkpoints.at(folder).changes()
    why = f": {', '.join(changed)} changed" if changed else ""
    raise SettingsError(
        f"spec.resumeFrom: no complete checkpoint with the same data, settings and base model under "
        f"{folder}{why}; use what that run used, or leave resumeFrom out"
    )


def _tell_of_change(fit: Fit) -> None:
    """Say why training starts over, if it does."""
    changed = fit.checkpoints.changes()
    if changed:
        why = f"{', '.join(changed)} changed since an earlier attempt, whose checkpoints are not used"
    elif fit.checkpoints.broken:
        why = "no checkpoint of an earlier attempt is complete"
    else:
        return
    log.warning("Training starts over: %s", why)
    fit.run.progress.notice(Reason.STARTED_OVER, f"Training started over: {why}")


def _begin(run: RunSession, state: TrainState) -> None:
    run.progress.training(state.max_epochs, state.recipe.total_steps, state.steps, state.history)


def _end_epoch(fit: Fit, done: EpochDone) -> None:
    run, state, epoch = fit.run, fit.state, done.summary
    run.progress.epoch(state.history)
    run.trackers.update(Snapshot(state.recipe, state.history.curves))
    log.info(
        "%s: training loss %.4f, evaluation loss %.4f%s%s",
        _epoch_name(epoch.epoch, state),
        epoch.training_loss,
        epoch.evaluation_loss,
        "".join(f", {metric.name} {score:.3f}" for metric, score in epoch.scores.items()),
        " (best so far)" if done.is_best else "",
    )
    if done.is_best:
        state.save_weights(run.best)
    if epoch.epoch == 0:
        _log_stage(state.history)
        _begin(run, state)
    fit.save_if_due(done)


def _log_stage(history: History) -> None:
    stage, before = history.stage, history.baseline.scores
    if stage is not None:
        log.info(
            "Similarity stage, %d steps of %d pairs: evaluation loss from %.4f to %.4f, %s",
            stage.steps,
            stage.pairs,
            before.evaluation_loss,
            stage.scores.evaluation_loss,
            "kept" if stage.kept else "discarded, since the baseline is better",
        )


def _epoch_name(epoch: int, state: TrainState) -> str:
    history = state.history
    if epoch:
        return f"Epoch {epoch} of {state.max_epochs}"
    if history.stage and history.stage.kept:
        return "Epoch 0 (after the similarity stage, logistic regression)"
    regression = history.method is BaselineMethod.LOGISTIC_REGRESSION
    return f"Epoch 0 ({'frozen body, logistic regression' if regression else 'the model as it was loaded'})"
