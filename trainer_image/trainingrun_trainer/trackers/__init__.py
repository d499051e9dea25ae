"""Trackers of experiments: where the curves of a run go, besides its own results."""

from .tensorboard import TensorBoard
from .tracker import Ending, Snapshot, Tracker, Trackers

__all__ = ["Ending", "Snapshot", "TensorBoard", "Tracker", "Trackers"]
