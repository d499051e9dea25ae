"""Turn what happens into progress reports."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from trainingrun_api.progress import ProgressReport, bounded_epochs
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import MAX_NOTICE, EpochSummary, Notice, NoticeReason, Progress, Reason, Stage

from ..artifacts import Trouble
from ..errors import StorageRefusedError
from ..training import History, StageStepDone, StepDone

Listener = Callable[[ProgressReport], None]
"""Is given each report, several a second while training; must return quickly."""


class ShareOfTraining(NamedTuple):
    """Of all training, what is done by now: this fit, beside those before and after it; in the same unit."""

    before: int = 0
    this: int = 1
    after: int = 0

    def last(self) -> Self:
        """The fit after this one."""
        return self._replace(before=self.before + self.this, this=self.after, after=0) if self.after else self

    def percent(self, step: int, total: int) -> int:
        """Of all training, when so many steps of this fit's `total` are done."""
        if not total:
            return 100 * self.before // sum(self)
        return 100 * (self.before * total + self.this * step) // (total * sum(self))

    def remaining(self, step: int, total: int) -> float:
        """Steps of this fit's length that are left of all training."""
        return total - step + total * self.after / self.this


class ProgressTracker:
    """Knows the latest progress and tells the listener of each change."""

    def __init__(self, config: RunConfig, listener: Listener) -> None:
        self._run = config.run
        self._listener = listener
        self._progress = Progress(
            stage=Stage.LOADING_DATA, max_epochs=config.training.max_epochs, last_update_time=_now()
        )
        self._stopwatch = Stopwatch(self._progress.stage)
        self._notice: Notice | None = None
        # Uploads tell of the object store from their own thread.
        self._one_at_a_time = threading.Lock()
        self._epochs: list[EpochSummary] | None = None  # until it is known what attempts before have left
        self._best: int | None = None
        self._started = time.monotonic()
        self._texts = 0
        self._first_step = 0
        # A final fit takes as much longer as it has more texts, at most.
        self._final = config.training.final_fit
        self._part = ShareOfTraining(0, config.train_percent, 100) if self._final else ShareOfTraining()

    def stage(self, stage: Stage) -> None:
        """A stage begins."""
        ended = stage in {Stage.PUBLISHING, Stage.DONE} or (stage is Stage.EVALUATING and not self._final)
        self._tell(stage=stage, **({"percent": 100, "remaining_seconds": 0} if ended else {}))

    def notice(self, reason: NoticeReason, message: str) -> None:
        """Something that a user should know of, told with each report from now on."""
        self._notice = Notice(reason=reason, message=message[:MAX_NOTICE])
        self._tell(notice=self._notice)

    def storage(self, trouble: Trouble | None, until: datetime) -> None:
        """The object store doesn't take results, which is borne until then; None when it does again."""
        if trouble is None:
            self._tell(notice=self._notice)
            return
        refused = isinstance(trouble, StorageRefusedError)
        reason = Reason.STORAGE_REFUSED if refused else Reason.STORAGE_UNAVAILABLE
        text = (
            "Results can't be written to the object store, which is retried until "
            f"{until:%H:%M:%S} UTC: {trouble}"
        )
        self._tell(notice=Notice(reason=reason, message=text[:MAX_NOTICE]))

    def training(self, max_epochs: int, total_steps: int, steps_done: int, history: History) -> None:
        """Training begins, or goes on after a restart or epoch 0."""
        self._remember(history)
        self._begin(Stage.TRAINING, total_steps, steps_done, max_epochs=max_epochs)

    def final_fit(self, total_steps: int, steps_done: int) -> None:
        """The final fit begins, or goes on; its losses and epochs are not told."""
        self._part = self._part.last()
        self._begin(Stage.FINAL_FIT, total_steps, steps_done)

    def _begin(self, stage: Stage, total_steps: int, steps_done: int, **changes: Any) -> None:
        self._started, self._first_step, self._texts = time.monotonic(), steps_done, 0
        percent = self._part.percent(steps_done, total_steps)
        self._tell(stage=stage, total_steps=total_steps, step=steps_done, percent=percent, **changes)

    def stage_step(self, event: StageStepDone) -> None:
        """A step of the similarity stage is done; its loss is another one, and not told."""
        self._tell(
            stage=Stage.SIMILARITY_STAGE,
            step=event.done.step,
            total_steps=event.total,
            learning_rate=event.done.learning_rate,
            samples_per_second=self._speed(event.done.texts),
        )

    def step(self, done: StepDone) -> None:
        speed = self._speed(done.texts)
        seconds = time.monotonic() - self._started
        total = self._progress.total_steps
        remaining = self._part.remaining(done.step, total)
        self._tell(
            step=done.step,
            percent=self._part.percent(done.step, total),
            learning_rate=done.learning_rate,
            samples_per_second=speed,
            remaining_seconds=round(seconds / (done.step - self._first_step) * remaining),
            **({} if self._progress.stage is Stage.FINAL_FIT else {"training_loss": done.loss}),
        )

    def epoch(self, history: History) -> None:
        """An epoch is done and evaluated."""
        self._remember(history)
        latest = history.epochs[-1]
        self._tell(evaluation_loss=latest.evaluation_loss, training_loss=latest.training_loss)

    def done(self, history: list[EpochSummary], best_epoch: int) -> None:
        """All results are published."""
        self._epochs, self._best = history, best_epoch
        self._progress = self._progress.model_copy(update={"epoch": history[-1].epoch})
        self.stage(Stage.DONE)

    def seconds(self) -> dict[str, float]:
        """What each stage has taken so far."""
        return self._stopwatch.seconds()

    def _speed(self, texts: int) -> float:
        self._texts += texts
        return self._texts / max(time.monotonic() - self._started, 1e-9)

    def _remember(self, history: History) -> None:
        self._epochs = history.epochs
        self._best = history.best.epoch if history.epochs else None
        self._progress = self._progress.model_copy(update={"epoch": history.trained})

    def _tell(self, **changes: Any) -> None:
        with self._one_at_a_time:
            self._report(changes)

    def _report(self, changes: dict[str, Any]) -> None:
        self._stopwatch.begin(changes.get("stage", self._progress.stage))
        took = {Stage(stage): round(seconds) for stage, seconds in self._stopwatch.seconds().items()}
        latest = {"last_update_time": _now(), "stage_seconds": took}
        self._progress = self._progress.model_copy(update={**changes, **latest})
        epochs = None if self._epochs is None else bounded_epochs(self._epochs, self._best)
        self._listener(ProgressReport(run=self._run, progress=self._progress, epochs=epochs))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Stopwatch:
    """Adds up the seconds of each stage, one at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._begun = stage, time.monotonic()
        self._seconds: dict[str, float] = {}

    def begin(self, stage: Stage) -> None:
        """The stage so far ends, this one begins, or goes on."""
        self._seconds, self._begun = self._so_far(), time.monotonic()
        self._stage = stage

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, in the order they first began, to the millisecond; the last one goes on."""
        return {stage: round(seconds, 3) for stage, seconds in self._so_far().items()}

    def _so_far(self) -> dict[str, float]:
        since = time.monotonic() - self._begun
        return self._seconds | {self._stage: self._seconds.get(self._stage, 0.0) + since}
