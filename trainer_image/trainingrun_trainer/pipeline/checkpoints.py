"""Checkpoints of a run in the object store: what an interrupted run goes on from."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue, ValidationError

from trainingrun_api.base import Model

from ..artifacts import PatientStore, Turn, commit_folder, discard, fetch_committed, is_committed
from ..distributed import by_first, is_first, leads_node, meet
from ..errors import GraceOver, ObjectMissingError, StorageUnavailableError, TrainerError
from ..records import RunRecord, file_sha256
from ..training import WEIGHTS, History, TrainState

log = logging.getLogger(__name__)

DIGITS = 12
"""Of an origin's name."""


LOOK_SECONDS = 1.0

BEST = "best.txt"
"""File of a checkpoint with the name of the folder of the best epoch's weights."""

ORIGIN = "origin.json"

STATE_FOLDER, BEST_FOLDER = "state", "best"
"""Parts of a checkpoint on this machine."""

EPOCH, STAGE, WEIGHTS_OF = "epoch-", "stage-", "best-"


class Origin(Model):
    """Settings, data and base model of a run; the same one leads to the same weights."""

    settings: dict[str, JsonValue]
    """Those other than the defaults, as the spec has them; without how often a checkpoint is made."""
    sources: list[dict[str, JsonValue]]
    """Where the data sets are, and which fields are read."""
    dataset_sha256: str | None
    """Fingerprint of their files."""
    base_model: str | None
    """Fingerprint of the base model's files."""

    @classmethod
    def of(cls, made_of: RunRecord) -> Self:
        """That of a run whose data and base model have been read."""
        config = made_of.config
        settings = config.settings().model_dump(mode="json", exclude_defaults=True)
        settings.get("training", {}).pop("checkpoint", None)
        return cls(
            settings=settings,
            sources=[source.model_dump(mode="json", exclude_defaults=True) for source in config.all_sources],
            dataset_sha256=made_of.dataset_sha256,
            base_model=made_of.base_model.digest if made_of.base_model else None,
        )

    @property
    def digest(self) -> str:
        """Hex digits that differ for another origin."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]

    def changes(self, before: "Origin") -> list[str]:
        """What is other than it was `before`, as a user knows it."""
        here, there = _flat(self.settings, "spec"), _flat(before.settings, "spec")
        settings = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
        parts = {
            "the data sets' places or fields": self.sources != before.sources,
            "the data sets' content": self.dataset_sha256 != before.dataset_sha256,
            "the base model": self.base_model != before.base_model,
        }
        return settings + [name for name, changed in parts.items() if changed]


def _flat(value: JsonValue, path: str) -> dict[str, JsonValue]:
    """Values by their paths."""
    if not isinstance(value, dict):
        return {path: value}
    flat: dict[str, JsonValue] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{path}.{name}")
    return flat


class Uploads:
    """Does one after the other in a thread of its own, within the `with` block.

    While the store is in trouble, a new one takes the place of the one that waits; else all are done. What
    fails is raised by the next call.
    """

    def __init__(self, store: PatientStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="uploads")
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._store.give_up()
        self._thread.shutdown(wait=not isinstance(error, GraceOver))

    def add(self, upload: Callable[[], None]) -> None:
        """Have it done; waits while another one waits already and the store answers."""
        self._collect()
        while len(self._futures) > 1 and not self._replaced():
            wait(self._futures, LOOK_SECONDS, FIRST_COMPLETED)
            self._collect()
        self._futures.append(self._thread.submit(upload))

    @property
    def busy(self) -> bool:
        """Whether one is not done yet."""
        return not all(future.done() for future in self._futures)

    def finish(self) -> None:
        """Wait until all are done."""
        wait(self._futures)
        self._collect()

    def _replaced(self) -> bool:
        return self._store.trouble is not None and self._futures[-1].cancel()

    def _collect(self) -> None:
        ended = [future for future in self._futures if future.done()]
        self._futures = [future for future in self._futures if future not in ended]
        for future in ended:
            if not future.cancelled():
                future.result()


@dataclass(frozen=True)
class Checkpoints:
    """`epoch-0003/` holds all state after epoch 3, `epoch-0003-step-00000047/` after step 47, which is in the
    next one; `stage-step-00000012/` that in the similarity stage; `best-0002-1f3a…/` the weights of the best
    epoch by then.

    They are in a folder that is named after their origin, so that those of other data are never taken for
    this run's; weights are named after their content, so that a folder that is there holds what is wanted.
    """

    store: PatientStore
    turn: Turn
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
        it is uploaded. All processes come here, and the first one writes.
        """
        name = _name(state)
        if name in self.saved:
            return
        self.saved.add(name)
        saved, weights = work / name / STATE_FOLDER, work / name / BEST_FOLDER
        state.save(saved)
        if not is_first():
            return
        if best is not None and state.history.epochs:
            weights.mkdir()
            (weights / WEIGHTS).hardlink_to(best / WEIGHTS)
        history, place = state.history, _place(state)
        self.uploads.add(lambda: self._commit(work / name, history, place))

    def _commit(self, folder: Path, history: History, place: str) -> None:
        """Upload it, then prune."""
        saved, weights, name = folder / STATE_FOLDER, folder / BEST_FOLDER, folder.name
        self.turn.require()
        if weights.exists():
            (saved / BEST).write_text(self._commit_best(weights, history.best.epoch))
        commit_folder(self.store, saved, f"{self.uri}/{name}")
        self.broken.discard(name)
        log.info("Checkpoint of %s committed: %s/%s", place, self.uri, name)
        self._prune()
        for older in folder.parent.iterdir():
            if _order(older.name) <= _order(name):
                shutil.rmtree(older)

    def _commit_best(self, weights: Path, epoch: int) -> str:
        """Upload the best epoch's weights unless they are there; gives the name of their folder."""
        best = f"{WEIGHTS_OF}{epoch:04d}-{file_sha256(weights / WEIGHTS)[:12]}"
        if not is_committed(self.store, f"{self.uri}/{best}"):
            self.store.write(f"{self.uri}/{ORIGIN}", self.origin.model_dump_json(indent=2).encode())
            commit_folder(self.store, weights, f"{self.uri}/{best}")
        return best

    def resume(self, state: TrainState, best: Path | None, work: Path) -> bool:
        """Restore the latest whole checkpoint, and the best weights into `best` of the first process; False
        when there is none.

        `work` is the same folder for all processes of a node.
        """
        name = by_first(lambda: self._fetch_latest(best, work))
        if name is None:
            return False
        self._fetch_elsewhere(name, work)
        self._restore(state, name, work)
        self.saved.add(name)
        log.info("Resuming from the checkpoint of %s", _place(state))
        meet()
        if leads_node():
            shutil.rmtree(work)
        return True

    def _fetch_latest(self, best: Path | None, work: Path) -> str | None:
        """Bring the latest whole one into `work`; gives its name."""
        for name in reversed(self._committed()):
            shutil.rmtree(work, ignore_errors=True)
            if self._fetch(name, best, work):
                return name
            log.warning("Checkpoint %s/%s is incomplete and is not used", self.uri, name)
            self.broken.add(name)
        return None

    def _fetch_elsewhere(self, name: str, work: Path) -> None:
        """Bring it to the nodes that the first process is not on."""
        if leads_node() and not is_first():
            shutil.rmtree(work, ignore_errors=True)
            if not self._fetch(name, None, work):
                raise StorageUnavailableError(f"Checkpoint {self.uri}/{name} could not be read")
        meet()

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
        if best is None or name.startswith(STAGE):
            return True
        return fetch_committed(self.store, f"{self.uri}/{(work / BEST).read_text()}", best)

    def _restore(self, state: TrainState, name: str, work: Path) -> None:
        try:
            state.restore(work)
        except ValueError as error:
            raise TrainerError(
                f"Checkpoint {self.uri}/{name} can't be resumed: {error}; delete the folder {self.uri} "
                "to start over"
            ) from error

    def _prune(self) -> None:
        # Only after the commit: were it before, a kill in between could leave nothing to go on from.
        try:
            kept = [name for name in self._committed() if name not in self.broken][-self.keep :]
            for name in self._names() - {*kept, *map(self._best_of, kept)}:
                discard(self.store.impatient, f"{self.uri}/{name}")
        except TrainerError as error:
            log.warning("Old checkpoints remain under %s; deleting them failed: %s", self.folder, error)

    def _best_of(self, name: str) -> str:
        """Name of the folder of the weights that belong to a checkpoint; "" where it doesn't say."""
        try:
            return self.store.read(f"{self.uri}/{name}/{BEST}").decode(errors="replace")
        except ObjectMissingError:
            return ""

    def _committed(self) -> list[str]:
        """Names of the checkpoints that were committed, the latest last."""
        names = sorted((name for name in self._names() if name.startswith((STAGE, EPOCH))), key=_order)
        return [name for name in names if is_committed(self.store, f"{self.uri}/{name}")]

    def _names(self) -> set[str]:
        """Names of the folders of this origin."""
        files = (file.removeprefix(f"{self.uri}/") for file in self.store.files(f"{self.uri}/"))
        return {file.split("/")[0] for file in files if "/" in file}


def _name(state: TrainState) -> str:
    if state.stage_steps is not None:
        return f"{STAGE}step-{state.stage_steps:08d}"
    name = f"{EPOCH}{state.history.trained:04d}"
    return f"{name}-step-{state.steps:08d}" if state.meter else name


def _order(name: str) -> tuple[bool, str]:
    """What sorts names by when they were saved."""
    return name.startswith(EPOCH), name


def _place(state: TrainState) -> str:
    if state.stage_steps is not None:
        return f"step {state.stage_steps} of the similarity stage"
    epoch = state.history.trained
    return f"step {state.steps}, in epoch {epoch + 1}" if state.meter else f"epoch {epoch}"
