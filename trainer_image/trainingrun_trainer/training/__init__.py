"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .classification import Classification, MultiLabelClassification, SingleLabelClassification
from .events import EpochDone, StageStepDone, StepDone
from .fit import fit
from .history import History
from .objective import Objective, Outcome
from .similarity import LabelContrast, stage_steps
from .trainee import HISTORY, Trainee, prepare

__all__ = [
    "HISTORY",
    "Classification",
    "EpochDone",
    "History",
    "LabelContrast",
    "MultiLabelClassification",
    "Objective",
    "Outcome",
    "SingleLabelClassification",
    "StageStepDone",
    "StepDone",
    "Trainee",
    "fit",
    "prepare",
    "stage_steps",
]
