"""evaluation.json: what a trained model is worth, for programs."""

from .base_run import BaseRun, ScoreChange
from .baseline import Baseline, BaselineMethod
from .copies import CopyExamples, TextPair
from .curves import Curves, Divergence, LossPoint, Restart
from .data import DataCounts, JoinedLabel, LabelCount, LabelParts, SourceCounts
from .document import Evaluation
from .doubts import MAX_DOUBTED, DoubtedText, LabelDoubts, Part
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
from .stage import StageOutcome
from .timing import Timing

__all__ = [
    "MAX_DOUBTED",
    "Average",
    "Averages",
    "BaseRun",
    "Baseline",
    "BaselineMethod",
    "Calibration",
    "ClassScores",
    "ClassificationScores",
    "ConfusionMatrix",
    "CopyExamples",
    "Curves",
    "DataCounts",
    "Divergence",
    "DoubtedText",
    "Evaluation",
    "Interval",
    "JoinedLabel",
    "LabelCount",
    "LabelDoubts",
    "LabelParts",
    "LabelSimilarity",
    "LossPoint",
    "PairSimilarity",
    "Part",
    "RankingScores",
    "Recipe",
    "ReliabilityBin",
    "Restart",
    "RetrievalAtK",
    "RetrievalScores",
    "ScoreChange",
    "Share",
    "SimilarityScores",
    "SourceCounts",
    "SourceScores",
    "StageOutcome",
    "TextPair",
    "Threshold",
    "Timing",
    "TopAccuracy",
]
