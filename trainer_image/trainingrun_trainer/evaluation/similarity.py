"""Scores of embeddings; similarity is the cosine throughout, embeddings are (texts, dimensions)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    pairwise_distances_argmin,
)
from sklearn.preprocessing import normalize

from trainingrun_api.evaluation import (
    LabelSimilarity,
    PairSimilarity,
    RankingScores,
    RetrievalAtK,
    RetrievalScores,
)

from .scores import Indices, score

Embeddings = NDArray[np.float32]

MAX_TEXTS = 2_000
"""Texts whose pairs are looked at: two million pairs, scored in about a second."""

NEIGHBOURS = (1, 5, 10)

RANKED_TOGETHER = 100
"""Pairs or triplets that are ranked among each other."""

BELOW_ALL = -2.0
"""Less than any cosine, for what must not be found."""


@dataclass(frozen=True)
class LabelledEmbeddings:
    """Texts and their labels."""

    embeddings: Embeddings
    targets: Indices
    """Index of each text's label, (texts,)."""

    def sample(self) -> "LabelledEmbeddings":
        """All, or the same MAX_TEXTS of them each time."""
        if len(self.targets) <= MAX_TEXTS:
            return self
        chosen = np.sort(np.random.default_rng(0).permutation(len(self.targets))[:MAX_TEXTS])
        return LabelledEmbeddings(self.embeddings[chosen], self.targets[chosen])


def average_precision(texts: LabelledEmbeddings) -> float:
    """Average precision of the cosine as a score for "same label", over pairs of `texts.sample()`, 0 to 1.

    0 when no two texts have the same label.
    """
    same, cosines = _pairs(texts.sample())
    return float(average_precision_score(same, cosines)) if same.any() else 0.0


def spearman(left: Embeddings, right: Embeddings, scores: NDArray[np.float64]) -> float:
    """Rank correlation of cosine and score, -1 to 1; 0 where either is constant."""
    return _correlation(spearmanr, cosine(left, right), scores)


def ranking_accuracy(columns: list[Embeddings]) -> float:
    """See RankingScores.accuracy; columns are anchors, near texts and, with triplets, far texts."""
    if len(columns) == 3:
        anchor, near, far = columns
        return float((cosine(anchor, near) > cosine(anchor, far)).mean())
    return float((ranks(columns) == 1).mean())


def score_labelled(nearest: Indices, evaluation: LabelledEmbeddings, labels: list[str]) -> LabelSimilarity:
    """All scores of labelled texts; `nearest` are the labels that `nearest_labels` gives them."""
    sample = evaluation.sample()
    same, _ = _pairs(sample)
    return LabelSimilarity(
        average_precision=average_precision(evaluation),
        same_label_share=float(same.mean()) if len(same) else 0.0,
        texts=len(sample.targets),
        retrieval=_retrieval(sample),
        nearest_label=score(evaluation.targets, nearest, labels),
    )


def score_pairs(left: Embeddings, right: Embeddings, scores: NDArray[np.float64]) -> PairSimilarity:
    """All scores of scored pairs."""
    return PairSimilarity(
        spearman=spearman(left, right, scores),
        pearson=_correlation(pearsonr, cosine(left, right), scores),
        pairs=len(scores),
    )


def score_ranked(columns: list[Embeddings]) -> RankingScores:
    """All scores of pairs or triplets."""
    return RankingScores(
        accuracy=ranking_accuracy(columns),
        mean_reciprocal_rank=float((1 / ranks(columns)).mean()),
        rows=len(columns[0]),
    )


def nearest_labels(training: LabelledEmbeddings, evaluation: LabelledEmbeddings) -> Indices:
    """The label, (texts,), whose mean of unit training embeddings is nearest to each evaluation text."""
    known, unit = np.unique(training.targets), normalize(training.embeddings)
    centroids = np.stack([unit[training.targets == label].mean(axis=0) for label in known])
    nearest: Indices = known[pairwise_distances_argmin(evaluation.embeddings, centroids, metric="cosine")]
    return nearest


def ranks(columns: list[Embeddings]) -> Indices:
    """Rank of each row's near text among all near and far texts of its group; ties count against it."""
    found = []
    for start in range(0, len(columns[0]), RANKED_TOGETHER):
        anchors, *others = [normalize(column[start : start + RANKED_TOGETHER]) for column in columns]
        cosines = anchors @ np.concatenate(others).T
        own = np.diagonal(cosines)[:, None]
        found.append((cosines >= own).sum(axis=1))
    joined: Indices = np.concatenate(found)
    return joined


def cosine(left: Embeddings, right: Embeddings) -> Embeddings:
    """Cosine of each row of both, (texts,)."""
    cosines: Embeddings = (normalize(left) * normalize(right)).sum(axis=1)
    return cosines


def _pairs(texts: LabelledEmbeddings) -> tuple[NDArray[np.bool_], Embeddings]:
    """Of each pair, whether the labels are the same, and the cosine."""
    first, second = np.triu_indices(len(texts.targets), k=1)
    unit = normalize(texts.embeddings)
    return texts.targets[first] == texts.targets[second], (unit @ unit.T)[first, second]


def _retrieval(texts: LabelledEmbeddings) -> RetrievalScores:
    unit = normalize(texts.embeddings)
    cosines = unit @ unit.T
    relevant = texts.targets[:, None] == texts.targets[None, :]
    np.fill_diagonal(cosines, BELOW_ALL)
    np.fill_diagonal(relevant, val=False)
    queries = relevant.any(axis=1)
    if not queries.any():
        return RetrievalScores(at=[], mean_reciprocal_rank=0, mean_average_precision=0, queries=0)
    cosines, relevant = cosines[queries], relevant[queries]
    found = np.take_along_axis(relevant, np.argsort(-cosines, axis=1, kind="stable"), axis=1)
    return RetrievalScores(
        at=[
            RetrievalAtK(
                k=k,
                precision=float(found[:, :k].mean()),
                recall=float((found[:, :k].sum(axis=1) / found.sum(axis=1)).mean()),
            )
            for k in NEIGHBOURS
            if k < len(texts.targets)
        ],
        mean_reciprocal_rank=float((1 / (found.argmax(axis=1) + 1)).mean()),
        mean_average_precision=float(label_ranking_average_precision_score(relevant, cosines)),
        queries=int(queries.sum()),
    )


def _correlation(
    measure: Callable[..., Any], cosines: NDArray[np.floating[Any]], scores: NDArray[np.float64]
) -> float:
    if np.ptp(cosines) == 0 or np.ptp(scores) == 0:
        return 0.0
    return float(measure(cosines, scores).statistic)
