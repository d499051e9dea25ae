"""Fine-tuning: an epoch at a time, resumable, with no notion of who listens."""

from .batches import evaluation_batches
from .body import add_adapters, merge_adapters
from .classification import Classification, MultiLabelClassification, SingleLabelClassification
from .contrast import LabelContrast, embed_texts, stage_steps
from .fit import Event, fit
from .history import Diverged, EpochDone, History, SaveDue, StageStepDone, StepDone
from .objective import Objective, Outcome
from .pairs import EncodedColumns, PairObjective, RankedTexts, ScoredPairs
from .passes import DivergedError, gathered
from .sharding import is_sharded
from .train_state import Decision, TrainState, on_device, prepare
from .weights import WEIGHTS

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
    "RankedTexts",
    "SaveDue",
    "ScoredPairs",
    "SingleLabelClassification",
    "StageStepDone",
    "StepDone",
    "TrainState",
    "add_adapters",
    "embed_texts",
    "evaluation_batches",
    "fit",
    "gathered",
    "is_sharded",
    "merge_adapters",
    "on_device",
    "prepare",
    "stage_steps",
]
