"""evaluation.json: what a trained model is worth, for programs."""

from .baseline import Baseline, BaselineMethod
from .curves import Curves, LossPoint
from .data import DataCounts
from .document import Evaluation
from .scores import (
    Average,
    Averages,
    ClassificationScores,
    ClassScores,
    ConfusionMatrix,
    Share,
    Threshold,
)

__all__ = [
    "Average",
    "Averages",
    "Baseline",
    "BaselineMethod",
    "ClassScores",
    "ClassificationScores",
    "ConfusionMatrix",
    "Curves",
    "DataCounts",
    "Evaluation",
    "LossPoint",
    "Share",
    "Threshold",
]
