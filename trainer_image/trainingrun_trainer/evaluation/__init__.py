"""What a trained model is worth: pure functions over label indices and probabilities."""

from .predictions import Predictions
from .scores import headline, macro_f1, score
from .table import predictions_table, to_parquet

__all__ = ["Predictions", "headline", "macro_f1", "predictions_table", "score", "to_parquet"]
