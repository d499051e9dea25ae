"""Trackers of experiments: where the curves of a run go, besides its own results."""

from .mlflow import Mlflow, Subject
from .tracker import INSTALL, Ending, Snapshot, Tracker, Trackers

__all__ = ["INSTALL", "Ending", "Mlflow", "Snapshot", "Subject", "Tracker", "Trackers"]
