"""One run, from configuration to result."""

import logging
import tempfile
from pathlib import Path

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunResult

from ..artifacts import PatientStore, open_store
from ..interruption import Interruption
from ..trackers import Ending
from .memory import memory_errors
from .progress import Listener, ProgressTracker
from .publish import published, result
from .session import Run
from .tracking import artifacts_of, failing, trackers_of
from .train import train

log = logging.getLogger(__name__)

LESS = "choose a smaller base model, or leave out the longest texts"
"""What takes less memory before training."""


def run(config: RunConfig, listener: Listener, interruption: Interruption | None = None) -> RunResult:
    """Train, evaluate and publish; goes on from the last checkpoint, or only reports what is published.

    `listener` gets each progress report in this thread. `interruption` ends the run, once what is trained is
    saved. Raises a TrainerError, whose message says what to change; its exit code says whether trying again
    can help.
    """
    paths = ArtifactPaths(config.output_prefix.rstrip("/"))
    progress = ProgressTracker(config, listener)
    impatient = open_store(paths.prefix, config.storage)
    store = PatientStore(impatient, config.storage.patience_seconds, progress.storage)
    trackers = trackers_of(config, impatient, paths)
    with failing(trackers):
        evaluation = published(store, paths)
        if evaluation is None:
            # What can't be deleted at the end, as on some network volumes, is no reason to fail.
            folder = tempfile.TemporaryDirectory(prefix="trainingrun-", ignore_cleanup_errors=True)
            with folder as work, memory_errors(LESS):
                evaluation = train(
                    Run(config, store, paths, progress, trackers, Path(work), interruption or Interruption())
                )
        else:
            log.info("The results of this run are published already; nothing is trained")
    progress.done(evaluation.curves.epochs, evaluation.best_epoch)
    trackers.end(Ending.FINISHED, evaluation)
    return result(evaluation, artifacts_of(paths))
