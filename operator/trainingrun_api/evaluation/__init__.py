"""evaluation.json: what a trained model is worth, for programs."""

from .baseline import Baseline, BaselineMethod
from .curves import Curves, LossPoint
from .data import DataCounts, LabelCount, SourceCounts
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
from .sources import SourceScores

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
    "LabelCount",
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
    "SourceCounts",
    "SourceScores",
    "Threshold",
    "TopAccuracy",
]
