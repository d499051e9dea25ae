"""Checkpoints of a run in the object store: what an interrupted run goes on from."""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..artifacts import Store, commit_folder, discard, fetch_committed, is_committed
from ..errors import ObjectMissingError, TrainerError
from ..training import HISTORY, History, Trainee

log = logging.getLogger(__name__)

ORIGIN = "origin.txt"
"""File of a checkpoint that tells which data set and base model it was trained from."""


@dataclass(frozen=True)
class Checkpoints:
    """`epoch-0003/` holds all state after epoch 3; `best-0002/` the weights of the best epoch so far."""

    store: Store
    uri: str
    keep: int
    origin: str
    """Digest of what training started from; a checkpoint with another is not gone on from."""

    def save(self, trainee: Trainee, best: Path, work: Path) -> None:
        """Commit a checkpoint of the latest epoch, then prune. `best` holds the best epoch's weights."""
        epoch, best_epoch = trainee.history.trained, trainee.history.best.epoch
        if not is_committed(self.store, self._best(best_epoch)):
            commit_folder(self.store, best, self._best(best_epoch))
        trainee.save(work)
        (work / ORIGIN).write_text(self.origin)
        commit_folder(self.store, work, self._epoch(epoch))
        shutil.rmtree(work)
        log.info("Checkpoint of epoch %d committed: %s", epoch, self._epoch(epoch))
        self._prune()

    def resume(self, trainee: Trainee, best: Path, work: Path) -> None:
        """Restore the latest whole checkpoint, if there is one, and the best weights into `best`."""
        for name in reversed(self._names("epoch-")):
            shutil.rmtree(work, ignore_errors=True)
            if self._restore(trainee, f"{self.uri}/{name}", best, work):
                log.info("Going on from the checkpoint of epoch %d", trainee.history.trained)
                return
            log.warning("Checkpoint %s/%s is not whole or of other data, and is not used", self.uri, name)

    def _restore(self, trainee: Trainee, uri: str, best: Path, work: Path) -> bool:
        if not fetch_committed(self.store, uri, work) or (work / ORIGIN).read_text() != self.origin:
            return False
        best_epoch = History.model_validate_json((work / HISTORY).read_text()).best.epoch
        if not fetch_committed(self.store, self._best(best_epoch), best):
            return False
        trainee.restore(work)
        return True

    def _prune(self) -> None:
        # Only after the commit: were it before, a kill in between could leave nothing to go on from.
        try:
            self._discard_old()
        except (TrainerError, ObjectMissingError) as error:
            log.warning("Old checkpoints stay under %s, since pruning failed: %s", self.uri, error)

    def _discard_old(self) -> None:
        names = self._names("epoch-")
        kept = [name for name in names if is_committed(self.store, f"{self.uri}/{name}")][-self.keep :]
        needed = {self._best(self._best_of(name)) for name in kept}
        beaten = [name for name in self._names("best-") if f"{self.uri}/{name}" not in needed]
        for name in [*(name for name in names if name not in kept), *beaten]:
            discard(self.store, f"{self.uri}/{name}")

    def _best_of(self, name: str) -> int:
        history = self.store.read(f"{self.uri}/{name}/{HISTORY}")
        return History.model_validate_json(history).best.epoch

    def _names(self, start: str) -> list[str]:
        files = self.store.files(f"{self.uri}/")
        names = {file.removeprefix(f"{self.uri}/").split("/")[0] for file in files}
        return sorted(name for name in names if name.startswith(start))

    def _epoch(self, epoch: int) -> str:
        return f"{self.uri}/epoch-{epoch:04d}"

    def _best(self, epoch: int) -> str:
        return f"{self.uri}/best-{epoch:04d}"
