"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .classification import Classification, MultiLabelClassification, SingleLabelClassification
from .fit import EpochDone, StepDone, fit
from .history import History
from .objective import Objective, Outcome
from .similarity import similarity_stage, stage_steps
from .trainee import HISTORY, Trainee, prepare

__all__ = [
    "HISTORY",
    "Classification",
    "EpochDone",
    "History",
    "MultiLabelClassification",
    "Objective",
    "Outcome",
    "SingleLabelClassification",
    "StepDone",
    "Trainee",
    "fit",
    "prepare",
    "similarity_stage",
    "stage_steps",
]
