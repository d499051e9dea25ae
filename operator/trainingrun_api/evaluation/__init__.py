"""evaluation.json: what a trained model is worth, for programs."""

from .baseline import Baseline, BaselineMethod
from .curves import Curves, LossPoint
from .data import DataCounts
from .document import Evaluation
from .scores import (
    Average,
    Averages,
    Calibration,
    ClassificationScores,
    ClassScores,
    ConfusionMatrix,
    Interval,
    ReliabilityBin,
    Share,
    Threshold,
    TopAccuracy,
)

__all__ = [
    "Average",
    "Averages",
    "Baseline",
    "BaselineMethod",
    "Calibration",
    "ClassScores",
    "ClassificationScores",
    "ConfusionMatrix",
    "Curves",
    "DataCounts",
    "Evaluation",
    "Interval",
    "LossPoint",
    "ReliabilityBin",
    "Share",
    "Threshold",
    "TopAccuracy",
]
