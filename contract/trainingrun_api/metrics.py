"""Scores of a model on the evaluation split, and all that is known of each.

A new one is an entry of METRICS with its field, and the code that computes it: early stopping, messages,
tables, curves, advice and trackers go over the entries.
"""

from dataclasses import dataclass
from enum import StrEnum

from .base import Model


class StoppingMetric(StrEnum):
    """Score of the evaluation split that says which epoch is best."""

    EVALUATION_LOSS = "EvaluationLoss"
    F1 = "F1"
    ACCURACY = "Accuracy"
    SPEARMAN = "Spearman"
    AVERAGE_PRECISION = "AveragePrecision"


class DataKind(StrEnum):
    """What a model learns from; each kind has scores of its own."""

    CLASSES = "classes"
    LABELLED_TEXTS = "labelled texts"
    """Whose embeddings are compared."""
    SCORED_PAIRS = "scored pairs"
    RANKED_TEXTS = "pairs and triplets without scores"

    @property
    def rows(self) -> str:
        """What one piece of it is called, in the plural: a row may be of two texts or three."""
        return "texts" if self in {DataKind.CLASSES, DataKind.LABELLED_TEXTS} else "rows"


@dataclass(frozen=True)
class Metric:
    """One score."""

    key: str
    """Its field of `EvaluationScores`, and of `Scores` where epochs have it."""
    name: str
    """As it stands within a sentence."""
    stopping: StoppingMetric | None = None
    """What early stopping calls it; None where epochs don't have it."""
    kinds: frozenset[DataKind] = frozenset()
    """Data whose epochs have it."""
    higher_is_better: bool = True

    @property
    def title(self) -> str:
        """The name as it stands alone."""
        return f"{self.name[0].upper()}{self.name[1:]}"

    def merit(self, value: float) -> float:
        """The value, signed so that more is better."""
        return value if self.higher_is_better else -value


AVERAGE_PRECISION = Metric(
    key="average_precision",
    name="average precision",
    stopping=StoppingMetric.AVERAGE_PRECISION,
    kinds=frozenset({DataKind.LABELLED_TEXTS}),
)
SPEARMAN = Metric(
    key="spearman",
    name="Spearman",
    stopping=StoppingMetric.SPEARMAN,
    kinds=frozenset({DataKind.SCORED_PAIRS}),
)
PEARSON = Metric(key="pearson", name="Pearson")
ACCURACY = Metric(
    key="accuracy",
    name="accuracy",
    stopping=StoppingMetric.ACCURACY,
    kinds=frozenset({DataKind.CLASSES, DataKind.RANKED_TEXTS}),
)
MACRO_F1 = Metric(
    key="f1",
    name="macro F1",
    stopping=StoppingMetric.F1,
    kinds=frozenset({DataKind.CLASSES}),
)
MEAN_RECIPROCAL_RANK = Metric(key="mean_reciprocal_rank", name="mean reciprocal rank")
PRECISION = Metric(key="precision", name="precision")
RECALL = Metric(key="recall", name="recall")
WEIGHTED_F1 = Metric(key="weighted_f1", name="weighted F1")
LOSS = Metric(
    key="loss",
    name="loss",
    stopping=StoppingMetric.EVALUATION_LOSS,
    kinds=frozenset(DataKind),
    higher_is_better=False,
)
METRICS = (
    AVERAGE_PRECISION,
    SPEARMAN,
    PEARSON,
    MEAN_RECIPROCAL_RANK,
    ACCURACY,
    MACRO_F1,
    PRECISION,
    RECALL,
    WEIGHTED_F1,
    LOSS,
)
"""All of them, in the order in which they are shown; each kind of data has some."""

EPOCH_METRICS = tuple(one for one in METRICS if one.stopping is not None and one is not LOSS)
"""Those that epochs have beside their losses."""

BY_STOPPING = {one.stopping: one for one in METRICS if one.stopping is not None}
"""The metric that early stopping goes by, by its name there."""


def stopping_metrics(kind: DataKind) -> frozenset[StoppingMetric]:
    """What early stopping can go by with data of this kind."""
    return frozenset(name for name, metric in BY_STOPPING.items() if kind in metric.kinds)


class Scores(Model):
    """Scores that epochs have, one field for each of EPOCH_METRICS; None where the task has no such score."""

    accuracy: float | None = None
    """Share of evaluation texts with the right label, 0 to 1, in TextSimilarity the nearest one; of pairs and
    triplets without scores, the share whose near text is the nearest."""
    f1: float | None = None
    """Macro F1, 0 to 1: the mean over the labels that evaluation texts have."""
    average_precision: float | None = None
    """TextSimilarity on labelled texts: of the cosine as a score for "same label", 0 to 1."""
    spearman: float | None = None
    """TextSimilarity on scored pairs: rank correlation of cosine and score, -1 to 1."""

    @property
    def scores(self) -> dict[Metric, float]:
        """Those that are known, in the order of METRICS."""
        found = {metric: getattr(self, metric.key, None) for metric in METRICS}
        return {metric: score for metric, score in found.items() if score is not None}
