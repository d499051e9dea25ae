"""Scores of embeddings on arrangements whose scores are known."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from trainingrun_api.evaluation import LabelSimilarity
from trainingrun_trainer.evaluation import (
    LabelledEmbeddings,
    average_precision,
    nearest_labels,
    ranking_accuracy,
    score_labelled,
    score_pairs,
    score_ranked,
)
from trainingrun_trainer.evaluation.similarity import MAX_TEXTS

LABELS = ["a", "b", "c"]


def clouds(per_label: int, spread: float, seed: int = 0) -> LabelledEmbeddings:
    """Texts around one direction a label; the wider the spread, the more they mix."""
    random = np.random.default_rng(seed)
    targets = np.repeat(np.arange(3), per_label)
    return LabelledEmbeddings(
        (np.eye(8)[targets] + spread * random.normal(size=(len(targets), 8))).astype(np.float32), targets
    )


def scored(training: LabelledEmbeddings, evaluation: LabelledEmbeddings) -> LabelSimilarity:
    return score_labelled(nearest_labels(training, evaluation), evaluation, LABELS)


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def test_labels_that_lie_apart_have_full_scores() -> None:
    scores = scored(clouds(10, 0.05), clouds(12, 0.05, seed=1))
    assert scores.average_precision == pytest.approx(1)
    assert scores.retrieval.mean_average_precision == pytest.approx(1)
    assert scores.retrieval.mean_reciprocal_rank == pytest.approx(1)
    assert [(at.k, at.precision) for at in scores.retrieval.at] == [(1, 1.0), (5, 1.0), (10, 1.0)]
    assert [at.recall for at in scores.retrieval.at] == pytest.approx([1 / 11, 5 / 11, 10 / 11])
    assert scores.nearest_label.accuracy == 1
    assert scores.nearest_label.confusion_matrix.counts == [[12, 0, 0], [0, 12, 0], [0, 0, 12]]


def test_average_precision_is_that_of_all_pairs() -> None:
    texts = clouds(6, 0.3)
    pairs = list(combinations(range(18), 2))
    expected = average_precision_score(
        [texts.targets[i] == texts.targets[j] for i, j in pairs],
        [cosine(texts.embeddings[i], texts.embeddings[j]) for i, j in pairs],
    )
    assert average_precision(texts) == pytest.approx(expected)
    assert 0.4 < expected < 0.95


def test_labels_that_mix_score_near_their_share_of_pairs() -> None:
    scores = scored(clouds(50, 0.5), clouds(50, 50, seed=1))
    assert scores.same_label_share == pytest.approx(3 * 49 * 50 / (149 * 150))
    assert scores.average_precision == pytest.approx(scores.same_label_share, abs=0.05)


def test_a_text_without_another_of_its_label_is_no_query() -> None:
    alone = LabelledEmbeddings(np.eye(3, dtype=np.float32), np.array([0, 0, 1]))
    assert scored(alone, alone).retrieval.queries == 2
    strangers = LabelledEmbeddings(np.eye(3, dtype=np.float32), np.arange(3))
    scores = scored(strangers, strangers)
    assert (scores.retrieval.queries, scores.average_precision) == (0, 0)


def test_many_texts_are_sampled_the_same_way_each_time() -> None:
    many = clouds(MAX_TEXTS, 0.5)
    assert len(many.sample().targets) == MAX_TEXTS
    assert average_precision(many) == average_precision(many)
    assert average_precision(many) == pytest.approx(average_precision(clouds(300, 0.5)), abs=0.02)


def test_scored_pairs_correlate_with_the_cosine() -> None:
    random = np.random.default_rng(0)
    left, right = random.normal(size=(2, 40, 5)).astype(np.float32)
    wanted = np.array([cosine(a, b) for a, b in zip(left, right, strict=True)])
    assert score_pairs(left, right, wanted).pearson == pytest.approx(1, abs=1e-5)
    cubed = score_pairs(left, right, 100 * wanted**3)
    assert cubed.spearman == pytest.approx(1, abs=1e-3)
    assert cubed.pearson < 0.99
    noisy = wanted + random.normal(size=40)
    assert score_pairs(left, right, noisy).spearman == pytest.approx(spearmanr(wanted, noisy).statistic)
    assert score_pairs(left, right, np.ones(40)).spearman == 0


def test_triplets_count_where_the_near_text_is_nearer() -> None:
    anchor = np.eye(4, dtype=np.float32)
    near, far = anchor.copy(), np.roll(anchor, 1, axis=0)
    near[0], far[0] = far[0].copy(), near[0].copy()
    scores = score_ranked([anchor, near, far])
    assert (scores.accuracy, scores.rows) == (0.75, 4)
    assert scores.mean_reciprocal_rank < 1


def test_pairs_count_where_no_other_near_text_is_nearer() -> None:
    anchor = np.eye(4, dtype=np.float32)
    assert ranking_accuracy([anchor, anchor]) == 1
    assert ranking_accuracy([anchor, anchor[[1, 0, 2, 3]]]) == 0.5
    assert ranking_accuracy([anchor, np.ones((4, 4), dtype=np.float32)]) == 0
