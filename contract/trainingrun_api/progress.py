"""What the trainer posts to the operator while it works."""

from typing import Annotated, Self

from pydantic import Field

from .base import Model
from .status import MAX_EPOCHS_IN_STATUS, EpochSummary, Progress

MAX_REPORT_BYTES = 64 * 1024


class RunIdentity(Model):
    """The TrainingRun of a report; the operator checks it against the pod that sends it."""

    namespace: str
    """Namespace of the run."""
    name: str
    """Name of the run."""
    uid: str
    """UID of the run."""


class ProgressReport(Model):
    """One report; it replaces the previous one."""

    run: RunIdentity
    """Whose progress this is."""
    progress: Progress
    """How far training is."""
    epochs: Annotated[list[EpochSummary], Field(max_length=MAX_EPOCHS_IN_STATUS)] | None = None
    """All epochs so far, bounded by `bounded_epochs`; None while the trainer doesn't know yet which epochs
    earlier attempts have finished."""

    def after(self, progress: Progress | None, epochs: list[EpochSummary]) -> Self:
        """The report with what status says of earlier attempts, as long as the trainer doesn't know it."""
        if self.epochs is not None or progress is None:
            return self
        latest = {
            "stage": self.progress.stage,
            "last_update_time": self.progress.last_update_time,
            "notice": self.progress.notice,
            "samples_per_second": None,
            "remaining_seconds": None,
            "stage_seconds": self.progress.stage_seconds,
        }
        return self.model_copy(update={"progress": progress.model_copy(update=latest), "epochs": epochs})


def bounded_epochs(epochs: list[EpochSummary], best_epoch: int | None) -> list[EpochSummary]:
    """At most MAX_EPOCHS_IN_STATUS epochs in order: the first (0), the best and the latest ones."""
    if len(epochs) <= MAX_EPOCHS_IN_STATUS:
        return epochs
    kept = {epochs[0].epoch} | ({best_epoch} if best_epoch is not None else set())
    latest = [e.epoch for e in epochs if e.epoch not in kept][-(MAX_EPOCHS_IN_STATUS - len(kept)) :]
    kept.update(latest)
    return [e for e in epochs if e.epoch in kept]
