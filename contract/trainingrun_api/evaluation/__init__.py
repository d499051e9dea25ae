"""evaluation.json: what a trained model is worth, for programs."""

from .base_run import BaseRun, ScoreChange
from .baseline import Baseline, BaselineMethod
from .copies import CopyExamples, TextPair
from .curves import Curves, Divergence, LossPoint, Restart
from .data import DataCounts, JoinedLabel, LabelCount, LabelParts, SourceCounts
from .document import Evaluation
from .label_issues import MAX_FLAGGED, FlaggedText, LabelIssues, Part
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
    "MAX_FLAGGED",
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
    "Evaluation",
    "FlaggedText",
    "Interval",
    "JoinedLabel",
    "LabelCount",
    "LabelIssues",
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
