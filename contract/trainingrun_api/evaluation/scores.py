"""Scores of predictions and of embeddings; similarity is the cosine throughout."""

from typing import Annotated

from pydantic import Field

from ..base import Model
from ..metrics import (
    ACCURACY,
    AVERAGE_PRECISION,
    MACRO_F1,
    MEAN_RECIPROCAL_RANK,
    PEARSON,
    PRECISION,
    RECALL,
    SPEARMAN,
    WEIGHTED_F1,
    DataKind,
    Metric,
)

Share = Annotated[float, Field(ge=0, le=1)]


class ConfusionMatrix(Model):
    """Rows are true labels, columns predicted ones, both in the order of `labels`.

    Where a text may have several labels: on the diagonal the texts that were given the row's label rightly,
    else those that missed the row's label and were given the column's wrongly. What a row lacks to 100
    percent missed the label and was given no wrong one in its place; with two wrong ones a text counts twice.
    """

    counts: list[list[int]]
    """Texts, (labels, labels)."""
    row_percentages: list[list[float]]
    """Share of the texts with the row's label, 0 to 100, (labels, labels); zeros for one without texts."""


class ClassScores(Model):
    """Scores of one label."""

    label: str
    """The label."""
    precision: Share
    """Share of texts given this label that have it; 0 where none was given it."""
    recall: Share
    """Share of texts with this label that were given it; 0 where none has it."""
    f1: Share
    """Harmonic mean of both; 0 where one of them is."""
    support: int
    """Evaluation texts with this label; 0 for one that was not evaluated, whose scores say nothing."""


class Average(Model):
    """Precision, recall and F1 averaged in one way of scikit-learn's."""

    precision: Share
    """Averaged precision."""
    recall: Share
    """Averaged recall."""
    f1: Share
    """Averaged F1."""


class Averages(Model):
    """scikit-learn's four averages, zero_division=0; a single label counts as a set of one for samples.

    Macro and weighted are over the labels that evaluation texts have (`evaluatedLabels` of them), as with
    scikit-learn's `labels=` these. Micro and samples count every decision: a label that no text has is wrong
    wherever it is given.
    """

    macro: Average
    """Plain mean over the labels evaluated."""
    micro: Average
    """Over all decisions; equals accuracy when each text has one label."""
    weighted: Average
    """Mean over the labels evaluated, weighted by support."""
    samples: Average
    """Mean over texts."""


class Threshold(Model):
    """From which probability on a text is given a label, where it may have several; saved in config.json.

    One for all labels, with the highest micro F1 on the evaluation split. All other scores are those of the
    best epoch at this threshold, so choosing it flatters them a little. By how much, the cross-fitted
    ones show: each fifth of the texts judged at the threshold that is best for the other four.
    """

    value: Share
    """The probability."""
    cross_fitted_accuracy: Share
    """Accuracy that the choice doesn't flatter."""
    cross_fitted_macro_f1: Share
    """Macro F1 that the choice doesn't flatter."""
    cross_fitted_micro_f1: Share
    """Micro F1 that the choice doesn't flatter."""


class Interval(Model):
    """Where a score lies in 95 of 100 samples of as many texts: percentile bootstrap."""

    low: Share
    """Lower end, the 2.5th percentile."""
    high: Share
    """Upper end, the 97.5th percentile."""


class TopAccuracy(Model):
    """How often the right label is among the most probable ones."""

    k: int
    """How many labels count."""
    accuracy: Share
    """Share of evaluation texts whose label is among them."""


class ReliabilityBin(Model):
    """Texts whose predicted label has about the same probability."""

    low: Share
    """Probabilities above this, and 0 itself in the first bin."""
    high: Share
    """Probabilities up to this."""
    support: int
    """Texts in the bin."""
    confidence: Share
    """Mean probability of their predicted labels; 0 in an empty bin."""
    accuracy: Share
    """Share of them with the right label; 0 in an empty bin."""


class Calibration(Model):
    """Whether probabilities mean what they say."""

    expected_error: Share
    """Expected calibration error: mean of |accuracy - confidence| over texts (Guo et al., ICML 2017)."""
    bins: list[ReliabilityBin]
    """Ten bins of equal width."""


class ClassificationScores(Model):
    """Scores of a model that gives labels, on the evaluation split."""

    accuracy: Share
    """Share of evaluation texts with the right label, or with exactly the right ones of several."""
    evaluated_labels: int | None = None
    """Labels that evaluation texts have, which macro and weighted averages are over; `classes` has all. Null
    in files of earlier versions, whose macro averages count the others as 0."""
    averages: Averages
    """Macro, micro, weighted and samples averages."""
    classes: list[ClassScores]
    """Scores per label, in the order of `labels`."""
    confusion_matrix: ConfusionMatrix
    """Which label was taken for which."""
    threshold: Threshold | None = None
    """From which probability on labels are given; null where each text has one label."""
    hamming_loss: Share | None = None
    """Share of wrong decisions over all texts and labels; null where each text has one label."""
    accuracy_interval: Interval | None = None
    """95 % confidence interval of the accuracy."""
    macro_f1_interval: Interval | None = None
    """95 % confidence interval of macro F1."""
    matthews: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Matthews correlation coefficient: 1 for all right, 0 for no better than chance."""
    top_accuracies: list[TopAccuracy] = []
    """For 2, 3 and 5 labels, as far as there are more."""
    calibration: Calibration | None = None
    """Whether probabilities mean what they say."""

    @property
    def scores(self) -> dict[Metric, float]:
        """The few of them that say how good the model is."""
        macro, weighted = self.averages.macro, self.averages.weighted
        return {
            ACCURACY: self.accuracy,
            MACRO_F1: macro.f1,
            PRECISION: macro.precision,
            RECALL: macro.recall,
            WEIGHTED_F1: weighted.f1,
        }

    @property
    def evaluated(self) -> list[ClassScores]:
        """Scores of the labels that evaluation texts have."""
        return [one for one in self.classes if one.support]

    @property
    def worst_first(self) -> list[ClassScores]:
        """Scores of all labels by rising F1; last those of which nothing is known."""
        return sorted(self.classes, key=lambda one: (not one.support, one.f1))


Correlation = Annotated[float, Field(ge=-1, le=1)]


class RetrievalAtK(Model):
    """The k nearest texts of each text."""

    k: Annotated[int, Field(ge=1)]
    """Texts looked at."""
    precision: Share
    """Mean share of the k that have the text's label."""
    recall: Share
    """Mean share of the texts with its label that are among the k."""


class RetrievalScores(Model):
    """How well each text finds the others with its label among all other evaluation texts."""

    at: list[RetrievalAtK]
    """Precision and recall of the 1, 5 and 10 nearest."""
    mean_reciprocal_rank: Share
    """Mean of 1 / rank of the nearest text with the same label."""
    mean_average_precision: Share
    """Mean over texts of the average precision of the ranking."""
    queries: int
    """Texts that have another with their label, and so count."""


class LabelSimilarity(Model):
    """Embeddings of labelled texts: those of one label should be near each other."""

    average_precision: Share
    """Of the cosine as a score for "both texts have the same label", over pairs of evaluation texts."""
    same_label_share: Share
    """Share of those pairs with the same label: the average precision of a cosine by chance."""
    texts: int
    """Evaluation texts these pairs and the retrieval are made of: all, or a fixed sample of 2,000."""
    retrieval: RetrievalScores
    """Nearest neighbours."""
    nearest_label: ClassificationScores
    """Each evaluation text gets the label whose mean of training embeddings is nearest."""


class PairSimilarity(Model):
    """The cosine of scored pairs of texts beside their scores."""

    spearman: Correlation
    """Rank correlation."""
    pearson: Correlation
    """Linear correlation."""
    pairs: int
    """Evaluation pairs."""


class RankingScores(Model):
    """Pairs (text, near text) and triplets (text, near text, far text)."""

    accuracy: Share
    """Triplets: share where the near text is nearer than the far one.
    Pairs: share where it is nearer than the near texts of the others among 100 pairs."""
    mean_reciprocal_rank: Share
    """Mean of 1 / rank of the near text among all near and far texts of 100 pairs or triplets."""
    rows: int
    """Evaluation pairs or triplets."""


class SimilarityScores(Model):
    """Scores of an embedding model on the evaluation split; one field is set, by the kind of data."""

    labels: LabelSimilarity | None = None
    """Data of labelled texts."""
    pairs: PairSimilarity | None = None
    """Data of scored pairs."""
    ranking: RankingScores | None = None
    """Data of pairs or triplets without scores."""

    @property
    def kind(self) -> DataKind:
        """What the embeddings are of."""
        if self.labels is not None:
            return DataKind.LABELLED_TEXTS
        return DataKind.SCORED_PAIRS if self.pairs is not None else DataKind.RANKED_TEXTS

    @property
    def scores(self) -> dict[Metric, float]:
        """The few of them that say how good the model is."""
        if self.labels is not None:
            nearest = self.labels.nearest_label.scores
            of_labels = {metric: nearest[metric] for metric in (ACCURACY, MACRO_F1)}
            return {AVERAGE_PRECISION: self.labels.average_precision, **of_labels}
        if self.pairs is not None:
            return {SPEARMAN: self.pairs.spearman, PEARSON: self.pairs.pearson}
        if self.ranking is not None:
            rank = self.ranking.mean_reciprocal_rank
            return {ACCURACY: self.ranking.accuracy, MEAN_RECIPROCAL_RANK: rank}
        return {}


class SourceScores(Model):
    """Scores of the evaluation texts that came from one data set."""

    source: str
    """The project, or the URI."""
    support: int
    """Evaluation texts from it."""
    accuracy: Share
    """Share of them with the right label, or with exactly the right ones of several; of TextSimilarity, with
    the nearest label the right one."""
    macro_f1: Share
    """Macro F1: the mean over the labels that they have."""
    loss: float | None = None
    """Mean loss, in nats per text; null for TextSimilarity, whose loss is one of pairs of texts."""
