"""What a trained model is worth: pure functions over label indices and probabilities."""

from .classification import score_predictions
from .multilabel import MultiLabelPredictions, score_multi_label
from .predictions import Floats, Indices, Predictions
from .scores import headline, macro_f1, score
from .table import predictions_table, to_parquet

__all__ = [
    "Floats",
    "Indices",
    "MultiLabelPredictions",
    "Predictions",
    "headline",
    "macro_f1",
    "predictions_table",
    "score",
    "score_multi_label",
    "score_predictions",
    "to_parquet",
]
