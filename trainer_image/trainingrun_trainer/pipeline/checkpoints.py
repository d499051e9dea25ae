"""Checkpoints of a run in the object store: what an interrupted run goes on from."""

import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from ..artifacts import PatientStore, commit_folder, discard, fetch_committed, is_committed
from ..errors import ObjectMissingError, TrainerError
from ..records import file_sha256
from ..training import WEIGHTS, TrainState
from .origin import Origin
from .uploads import Uploads

log = logging.getLogger(__name__)

BEST = "best.txt"
"""File of a checkpoint with the name of the folder of the best epoch's weights."""

ORIGIN = "origin.json"

STATE_FOLDER, BEST_FOLDER = "state", "best"
"""Parts of a checkpoint on this machine."""

EPOCH, WEIGHTS_OF = "epoch-", "best-"


@dataclass(frozen=True)
class Checkpoints:
    """`epoch-0003/` holds all state after epoch 3, `epoch-0003-step-00000047/` after step 47, which is in the
    next one; `best-0002-1f3a…/` the weights of the best epoch by then.

    They are in a folder that is named after their origin, so that those of other data are never taken for
    this run's; weights are named after their content, so that a folder that is there holds what is wanted.
    """

    store: PatientStore
    folder: str
    """URI of the checkpoints of all origins."""
    origin: Origin
    """What training starts from."""
    keep: int
    uploads: Uploads
    saved: set[str] = field(default_factory=set)
    """Names of those that this attempt has made or gone on from."""
    broken: set[str] = field(default_factory=set)
    """Names of those that turned out not to be whole."""

    @property
    def uri(self) -> str:
        """Folder of those of this origin."""
        return f"{self.folder}/{self.origin.digest}"

    def save(self, state: TrainState, best: Path | None, work: Path) -> None:
        """Have a checkpoint of what is trained committed beside training; one that was saved before stays.

        `best` holds the best epoch's weights, None where none is chosen; a folder of `work` holds all until
        it is uploaded.
        """
        name = _name(state)
        if name in self.saved:
            return
        self.saved.add(name)
        saved, weights = work / name / STATE_FOLDER, work / name / BEST_FOLDER
        state.save(saved)
        if best is not None:
            weights.mkdir()
            (weights / WEIGHTS).hardlink_to(best / WEIGHTS)
        best_epoch, place = state.history.best.epoch, _place(state)
        self.uploads.add(lambda: self._commit(work / name, best_epoch, place))

    def _commit(self, folder: Path, best_epoch: int, place: str) -> None:
        """Upload it, then prune."""
        saved, weights, name = folder / STATE_FOLDER, folder / BEST_FOLDER, folder.name
        if weights.exists():
            (saved / BEST).write_text(self._commit_best(weights, best_epoch))
        commit_folder(self.store, saved, f"{self.uri}/{name}")
        self.broken.discard(name)
        log.info("Checkpoint of %s committed: %s/%s", place, self.uri, name)
        self._prune()
        for older in folder.parent.iterdir():
            if older.name <= name:
                shutil.rmtree(older)

    def _commit_best(self, weights: Path, epoch: int) -> str:
        """Upload the best epoch's weights unless they are there; gives the name of their folder."""
        best = f"{WEIGHTS_OF}{epoch:04d}-{file_sha256(weights / WEIGHTS)[:12]}"
        if not is_committed(self.store, f"{self.uri}/{best}"):
            self.store.write(f"{self.uri}/{ORIGIN}", self.origin.model_dump_json(indent=2).encode())
            commit_folder(self.store, weights, f"{self.uri}/{best}")
        return best

    def resume(self, state: TrainState, best: Path | None, work: Path) -> bool:
        """Restore the latest whole checkpoint, and the best weights into `best`; False when there is none."""
        for name in reversed(self._committed()):
            shutil.rmtree(work, ignore_errors=True)
            if self._fetch(name, best, work):
                self._restore(state, name, work)
                shutil.rmtree(work)
                self.saved.add(name)
                log.info("Going on from the checkpoint of %s", _place(state))
                return True
            log.warning("Checkpoint %s/%s is not whole, and is not used", self.uri, name)
            self.broken.add(name)
        return False

    def at(self, folder: str) -> Self:
        """Those of the same origin in another folder, of which this attempt has made none."""
        return replace(self, folder=folder, saved=set(), broken=set())

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

    def _fetch(self, name: str, best: Path | None, work: Path) -> bool:
        if not fetch_committed(self.store, f"{self.uri}/{name}", work):
            return False
        return best is None or fetch_committed(self.store, f"{self.uri}/{(work / BEST).read_text()}", best)

    def _restore(self, state: TrainState, name: str, work: Path) -> None:
        try:
            state.restore(work)
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
                discard(self.store.impatient, f"{self.uri}/{name}")
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


def _name(state: TrainState) -> str:
    """In the order of their steps."""
    name = f"{EPOCH}{state.history.trained:04d}"
    return f"{name}-step-{state.steps:08d}" if state.meter else name


def _place(state: TrainState) -> str:
    epoch = state.history.trained
    return f"step {state.steps}, in epoch {epoch + 1}" if state.meter else f"epoch {epoch}"
