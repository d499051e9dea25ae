"""Which trackers follow a run, and how they hear that it failed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from trainingrun_api.artifacts import ArtifactPaths, Artifacts
from trainingrun_api.run_config import RunConfig

from ..artifacts import Store
from ..errors import Interrupted
from ..setting_paths import settings_by_path
from ..trackers import INSTALL, Ending, Mlflow, Subject, Tracker, Trackers

log = logging.getLogger(__name__)


def trackers_of(config: RunConfig, store: Store, paths: ArtifactPaths) -> Tracker:
    """All that follow a run, as one: TensorBoard where it is installed, and what the settings ask for.

    Raises SettingsError for one that is asked for and isn't installed.
    """
    artifacts, trackers = artifacts_of(paths), list[Tracker]()
    if artifacts.tensorboard is not None:
        from ..trackers.tensorboard import TensorBoard  # noqa: PLC0415  # of an extra

        trackers.append(TensorBoard(store, artifacts.tensorboard))
    else:
        log.info("No curves for TensorBoard, which is not installed: %s", INSTALL)
    if config.mlflow is not None:
        subject = Subject(config.run, config.model_name, settings_by_path(config), artifacts, store)
        trackers.append(Mlflow(config.mlflow, subject))
    return Trackers(trackers)


def artifacts_of(paths: ArtifactPaths) -> Artifacts:
    """What a run leaves here: curves for TensorBoard only where it is installed."""
    installed = find_spec("tensorboard") is not None
    return paths.artifacts().model_copy(update={} if installed else {"tensorboard": None})


@contextmanager
def failing(tracker: Tracker) -> Iterator[None]:
    """Tell of what is raised."""
    try:
        yield
    except Interrupted:
        tracker.end(Ending.INTERRUPTED)
        raise
    except BaseException:
        tracker.end(Ending.FAILED)
        raise
