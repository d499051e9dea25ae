"""A fit of a run: what is trained, and where it is saved so that nothing of it is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainingrun_api.training import Training

from ..errors import GraceOver, Interrupted
from ..training import Diverged, EpochDone, StageStepDone, StepDone, TrainState, fit
from .checkpoints import Checkpoints
from .origin import Origin
from .session import Run
from .uploads import Uploads

Landmark = EpochDone | Diverged
"""What a fit says beside its steps."""


@contextmanager
def checkpoints_under(run: Run, folder: str, origin: Origin) -> Iterator[Checkpoints]:
    """Those of a run, uploaded beside what is done within the `with` block."""
    with Uploads(run.store) as uploads:
        yield Checkpoints(run.store, folder, origin, run.config.training.checkpoint.keep, uploads)


@dataclass(frozen=True)
class Fit:
    """A state and its checkpoints."""

    run: Run
    state: TrainState
    settings: Training
    checkpoints: Checkpoints
    best: Path | None
    """Folder of the best epoch's weights; None where no epoch is chosen."""

    def resume(self, folder: str | None = None) -> bool:
        """Go on from the last whole checkpoint, of those under another `folder` where one is named; False
        when there is none."""
        checkpoints = self.checkpoints if folder is None else self.checkpoints.at(folder)
        return checkpoints.resume(self.state, self.best, self.run.work / "fetched")

    def go_on(self, hear: Callable[[Landmark], None]) -> None:
        """Train to the end; what is trained is saved before Interrupted is passed on. Steps are progress."""
        self.state.heed = self.run.interruption.heed
        with self.run.interruption.put_off(lambda: bool(self.state.history.epochs)):
            try:
                for event in fit(self.state, self.settings):
                    match event:
                        case StageStepDone():
                            self.run.progress.stage_step(event)
                        case StepDone():
                            self.run.progress.step(event)
                        case EpochDone() | Diverged():
                            hear(event)
            except GraceOver:
                raise  # wherever it was
            except Interrupted:
                if self.state.history.epochs:
                    self.save()
                    self.checkpoints.uploads.finish()
                raise
            self.checkpoints.uploads.finish()

    def save_if_due(self, done: EpochDone) -> None:
        """Save after the epochs that the settings ask for, the last, and epoch 0 after a similarity stage."""
        epoch, every = done.summary.epoch, self.settings.checkpoint.every_epochs
        after_stage = epoch == 0 and self.state.history.stage is not None
        if done.is_last or after_stage or (epoch and epoch % every == 0):
            self.save()

    def save(self) -> None:
        """Have a checkpoint of what is trained committed beside training."""
        self.checkpoints.save(self.state, self.best, self.run.waiting)
