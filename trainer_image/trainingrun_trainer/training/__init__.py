"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .batches import evaluation_batches
from .classification import Classification, MultiLabelClassification, SingleLabelClassification
from .divergence import DivergedError
from .events import Diverged, EpochDone, StageStepDone, StepDone
from .fit import fit
from .history import History
from .objective import Objective, Outcome
from .similarity import (
    EncodedColumns,
    LabelContrast,
    PairObjective,
    RankedTexts,
    ScoredPairs,
    embed_texts,
    stage_steps,
)
from .train_state import WEIGHTS, TrainState, prepare
from .untrained import Anew, Untrained

__all__ = [
    "WEIGHTS",
    "Anew",
    "Classification",
    "Diverged",
    "DivergedError",
    "EncodedColumns",
    "EpochDone",
    "History",
    "LabelContrast",
    "MultiLabelClassification",
    "Objective",
    "Outcome",
    "PairObjective",
    "RankedTexts",
    "ScoredPairs",
    "SingleLabelClassification",
    "StageStepDone",
    "StepDone",
    "TrainState",
    "Untrained",
    "embed_texts",
    "evaluation_batches",
    "fit",
    "prepare",
    "stage_steps",
]
