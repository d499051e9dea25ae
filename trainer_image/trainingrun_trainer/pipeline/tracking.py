"""Which trackers follow a run, and how they hear that it failed."""

from collections.abc import Iterator
from contextlib import contextmanager

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.run_config import RunConfig

from ..artifacts import Store
from ..errors import Interrupted
from ..report import settings
from ..trackers import Ending, Mlflow, Subject, TensorBoard, Tracker, Trackers


def trackers_of(config: RunConfig, store: Store, paths: ArtifactPaths) -> Tracker:
    """All that follow a run, as one."""
    trackers: list[Tracker] = [TensorBoard(store, paths.tensorboard)]
    if config.mlflow is not None:
        parameters = dict(settings(config))
        subject = Subject(config.run, config.model_name, parameters, paths.artifacts(), store)
        trackers.append(Mlflow(config.mlflow, subject))
    return Trackers(trackers)


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
