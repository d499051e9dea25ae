"""Scores of embeddings; similarity is the cosine throughout."""

from typing import Annotated

from pydantic import Field

from ..base import Model
from .scores import ClassificationScores, Share

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
