"""evaluation.json: what a trained model is worth, for programs."""

from .baseline import Baseline, BaselineMethod
from .curves import Curves, LossPoint
from .data import DataCounts
from .document import Evaluation
from .recipe import Recipe
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
from .similarity import (
    LabelSimilarity,
    PairSimilarity,
    RankingScores,
    RetrievalAtK,
    RetrievalScores,
    SimilarityScores,
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
    "LabelSimilarity",
    "LossPoint",
    "PairSimilarity",
    "RankingScores",
    "Recipe",
    "ReliabilityBin",
    "RetrievalAtK",
    "RetrievalScores",
    "Share",
    "SimilarityScores",
    "Threshold",
    "TopAccuracy",
]
