"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .fit import EpochDone, StepDone, fit
from .history import History
from .predict import predict
from .trainee import HISTORY, Trainee, prepare, start_head

__all__ = [
    "HISTORY",
    "EpochDone",
    "History",
    "StepDone",
    "Trainee",
    "fit",
    "predict",
    "prepare",
    "start_head",
]
