"""Trackers of experiments: where the curves of a run go, besides its own results."""

from .mlflow import Mlflow
from .mlflow_state import Subject
from .tensorboard import TensorBoard
from .tracker import Ending, Snapshot, Tracker, Trackers

__all__ = ["Ending", "Mlflow", "Snapshot", "Subject", "TensorBoard", "Tracker", "Trackers"]
