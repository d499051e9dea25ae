"""What a trained model is worth: pure functions over label indices, probabilities and embeddings."""

from .base_run import base_run
from .intervals import MIN_DECISIVE, Difference, PairedScores, paired_scores
from .label_issues import FoundIssues, LabelIssue, find_label_issues
from .predictions import LabelPredictions, MultiLabelPredictions, Predictions
from .probabilities import loss_of_guessing_one, loss_of_guessing_several
from .scores import Floats, Indices, macro_f1, score, score_sources
from .similarity import (
    Embeddings,
    LabelledEmbeddings,
    average_precision,
    nearest_labels,
    ranking_accuracy,
    score_labelled,
    score_pairs,
    score_ranked,
    spearman,
)
from .table import nearest_label_table, pairs_table, predictions_table, to_parquet

__all__ = [
    "MIN_DECISIVE",
    "Difference",
    "Embeddings",
    "Floats",
    "FoundIssues",
    "Indices",
    "LabelIssue",
    "LabelPredictions",
    "LabelledEmbeddings",
    "MultiLabelPredictions",
    "PairedScores",
    "Predictions",
    "average_precision",
    "base_run",
    "find_label_issues",
    "loss_of_guessing_one",
    "loss_of_guessing_several",
    "macro_f1",
    "nearest_label_table",
    "nearest_labels",
    "paired_scores",
    "pairs_table",
    "predictions_table",
    "ranking_accuracy",
    "score",
    "score_labelled",
    "score_pairs",
    "score_ranked",
    "score_sources",
    "spearman",
    "to_parquet",
]
