"""Which trackers follow a run, and how they hear that it failed."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..artifacts import Store
from ..errors import Interrupted
from ..trackers import Ending, TensorBoard, Tracker, Trackers
from .places import Places


def trackers_of(store: Store, places: Places) -> Tracker:
    """All that follow a run, as one."""
    return Trackers([TensorBoard(store, places.tensorboard)])


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
