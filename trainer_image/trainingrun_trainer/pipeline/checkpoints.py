"""Checkpoints of a run in the object store: what an interrupted run goes on from."""

import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from ..artifacts import Store, commit_folder, discard, fetch_committed, is_committed
from ..errors import ObjectMissingError, TrainerError
from ..records import file_sha256
from ..training import WEIGHTS, Trainee
from .origin import Origin

log = logging.getLogger(__name__)

BEST = "best.txt"
"""File of a checkpoint with the name of the folder of the best epoch's weights."""

ORIGIN = "origin.json"

EPOCH, WEIGHTS_OF = "epoch-", "best-"


@dataclass(frozen=True)
class Checkpoints:
    """`epoch-0003/` holds all state after epoch 3, `epoch-0003-step-00000047/` after step 47, which is in the
    next one; `best-0002-1f3a…/` the weights of the best epoch by then.

    They are in a folder that is named after their origin, so that those of other data are never taken for
    this run's; weights are named after their content, so that a folder that is there holds what is wanted.
    """

    store: Store
    folder: str
    """URI of the checkpoints of all origins."""
    origin: Origin
    """What training starts from."""
    keep: int
    broken: set[str] = field(default_factory=set)
    """Names of those that turned out not to be whole."""

    @property
    def uri(self) -> str:
        """Folder of those of this origin."""
        return f"{self.folder}/{self.origin.digest}"

    def save(self, trainee: Trainee, best: Path, work: Path) -> None:
        """Commit a checkpoint of what is trained, then prune. `best` holds the best epoch's weights.

        One that is there already stays.
        """
        name = _name(trainee)
        if name not in self.broken and is_committed(self.store, f"{self.uri}/{name}"):
            return
        weights = f"{WEIGHTS_OF}{trainee.history.best.epoch:04d}-{file_sha256(best / WEIGHTS)[:12]}"
        if not is_committed(self.store, f"{self.uri}/{weights}"):
            self.store.write(f"{self.uri}/{ORIGIN}", self.origin.model_dump_json(indent=2).encode())
            commit_folder(self.store, best, f"{self.uri}/{weights}")
        shutil.rmtree(work, ignore_errors=True)
        trainee.save(work)
        (work / BEST).write_text(weights)
        commit_folder(self.store, work, f"{self.uri}/{name}")
        shutil.rmtree(work)
        self.broken.discard(name)
        log.info("Checkpoint of %s committed: %s/%s", _place(trainee), self.uri, name)
        self._prune()

    def resume(self, trainee: Trainee, best: Path, work: Path) -> bool:
        """Restore the latest whole checkpoint, and the best weights into `best`; False when there is none."""
        for name in reversed(self._committed()):
            shutil.rmtree(work, ignore_errors=True)
            if self._fetch(name, best, work):
                self._restore(trainee, name, work)
                log.info("Going on from the checkpoint of %s", _place(trainee))
                return True
            log.warning("Checkpoint %s/%s is not whole, and is not used", self.uri, name)
            self.broken.add(name)
        return False

    def changes(self) -> list[str] | None:
        """What has changed since the checkpoints of another origin were made; None when there are none."""
        files = self.store.files(f"{self.folder}/")
        others = {file.removeprefix(f"{self.folder}/").split("/")[0] for file in files} - {self.origin.digest}
        for other in sorted(others):
            try:
                content = self.store.read(f"{self.folder}/{other}/{ORIGIN}")
                return self.origin.changes(Origin.model_validate_json(content))
            except (ObjectMissingError, ValidationError):
                continue
        return None

    def _fetch(self, name: str, best: Path, work: Path) -> bool:
        if not fetch_committed(self.store, f"{self.uri}/{name}", work):
            return False
        return fetch_committed(self.store, f"{self.uri}/{(work / BEST).read_text()}", best)

    def _restore(self, trainee: Trainee, name: str, work: Path) -> None:
        try:
            trainee.restore(work)
        except ValueError as error:
            raise TrainerError(
                f"Checkpoint {self.uri}/{name} can't be gone on from: {error}; delete the folder {self.uri}, "
                "and the run starts over"
            ) from error

    def _prune(self) -> None:
        # Only after the commit: were it before, a kill in between could leave nothing to go on from.
        try:
            kept = [name for name in self._committed() if name not in self.broken][-self.keep :]
            for name in self._names() - {*kept, *map(self._best_of, kept)}:
                discard(self.store, f"{self.uri}/{name}")
        except TrainerError as error:
            log.warning("Old checkpoints stay under %s, since pruning failed: %s", self.folder, error)

    def _best_of(self, name: str) -> str:
        """Name of the folder of the weights that belong to a checkpoint; "" where it doesn't say."""
        try:
            return self.store.read(f"{self.uri}/{name}/{BEST}").decode(errors="replace")
        except ObjectMissingError:
            return ""

    def _committed(self) -> list[str]:
        """Names of the checkpoints that were committed, by epoch."""
        names = sorted(name for name in self._names() if name.startswith(EPOCH))
        return [name for name in names if is_committed(self.store, f"{self.uri}/{name}")]

    def _names(self) -> set[str]:
        """Names of the folders of this origin."""
        files = (file.removeprefix(f"{self.uri}/") for file in self.store.files(f"{self.uri}/"))
        return {file.split("/")[0] for file in files if "/" in file}


def _name(trainee: Trainee) -> str:
    """In the order of their steps."""
    name = f"{EPOCH}{trainee.history.trained:04d}"
    return f"{name}-step-{trainee.steps:08d}" if trainee.meter else name


def _place(trainee: Trainee) -> str:
    epoch = trainee.history.trained
    return f"step {trainee.steps}, in epoch {epoch + 1}" if trainee.meter else f"epoch {epoch}"
