"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .batches import evaluation_batches
from .classification import Classification, MultiLabelClassification, SingleLabelClassification
from .contrast import LabelContrast, embed_all, stage_steps
from .fit import Event, fit
from .history import Diverged, EpochDone, History, SaveDue, StageStepDone, StepDone
from .objective import Objective, Outcome
from .pairs import EncodedColumns, PairObjective, RankedTexts, ScoredPairs
from .passes import DivergedError
from .train_state import WEIGHTS, Decision, RandomState, TrainState, on_device, prepare

__all__ = [
    "WEIGHTS",
    "Classification",
    "Decision",
    "Diverged",
    "DivergedError",
    "EncodedColumns",
    "EpochDone",
    "Event",
    "History",
    "LabelContrast",
    "MultiLabelClassification",
    "Objective",
    "Outcome",
    "PairObjective",
    "RandomState",
    "RankedTexts",
    "SaveDue",
    "ScoredPairs",
    "SingleLabelClassification",
    "StageStepDone",
    "StepDone",
    "TrainState",
    "embed_all",
    "evaluation_batches",
    "fit",
    "on_device",
    "prepare",
    "stage_steps",
]
