"""Learning from scored pairs, pairs and triplets."""

from pathlib import Path

import numpy as np
import pytest
import torch

from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.training import EarlyStopping, MixedPrecision, Training
from trainingrun_trainer.errors import SettingsError
from trainingrun_trainer.model import EmbeddingModel, load_embedding_model
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import (
    EncodedColumns,
    EpochDone,
    Objective,
    RankedTexts,
    ScoredPairs,
    fit,
    prepare,
)
from trainingrun_trainer.training.pairs import DistinctTexts

from ..conftest import FILLERS, WORDS

SETTINGS = Training(max_epochs=6, learning_rate=2e-3, batch_size=8, mixed_precision=MixedPrecision.FP32)
LABELS = list(WORDS)


@pytest.fixture
def model(pooled_model: Path) -> EmbeddingModel:
    torch.manual_seed(0)
    return load_embedding_model(pooled_model, "uri")


def text(label: str, n: int) -> str:
    return f"{FILLERS[n % 10]} {WORDS[label][n % 5]} {FILLERS[n // 5 % 10]}"


def columns(model: EmbeddingModel, rows: list[tuple[str, ...]], scores: list[float]) -> EncodedColumns:
    texts = [[Example(text, ()) for text in column] for column in zip(*rows, strict=True)]
    ids = [model.encode_texts(column)[0] for column in texts]
    return EncodedColumns(ids, np.array(scores, dtype=float), 0)


def scored(model: EmbeddingModel, start: int) -> EncodedColumns:
    """Pairs of one topic, 4, and of two, 1."""
    rows, scores = [], []
    for n in range(start, start + 24):
        label, other = LABELS[n % 3], LABELS[(n + 1) % 3]
        rows += [(text(label, n), text(label, n + 2)), (text(label, n + 3), text(other, n))]
        scores += [4.0, 1.0]
    return columns(model, rows, scores)


def triplets(model: EmbeddingModel, start: int) -> EncodedColumns:
    labels = [(n, LABELS[n % 3], LABELS[(n + 1) % 3]) for n in range(start, start + 40)]
    rows = [(text(label, n), text(label, n + 2), text(other, n + 1)) for n, label, other in labels]
    return columns(model, rows, [0.0] * 40)


def pairs(model: EmbeddingModel, start: int) -> EncodedColumns:
    found = triplets(model, start)
    return EncodedColumns(found.columns[:2], found.scores, 0)


def epochs(objective: Objective, settings: Training = SETTINGS) -> list[EpochDone]:
    return [event for event in fit(prepare(objective, settings), settings) if isinstance(event, EpochDone)]


def test_the_cosine_comes_to_order_scored_pairs_as_their_scores_do(model: EmbeddingModel) -> None:
    first, *_, last = epochs(ScoredPairs(model, scored(model, 0), scored(model, 50)))
    assert first.summary.spearman is not None
    assert last.summary.spearman is not None
    assert last.summary.spearman > first.summary.spearman + 0.1
    assert last.summary.spearman > 0.5
    assert last.summary.evaluation_loss < first.summary.evaluation_loss


def test_only_the_order_of_scores_matters(pooled_model: Path) -> None:
    losses = []
    for scale in (1, 100):
        torch.manual_seed(0)
        model = load_embedding_model(pooled_model, "uri")
        data = scored(model, 0)
        data = EncodedColumns(data.columns, data.scores * scale - 7, 0)
        settings = SETTINGS.model_copy(update={"max_epochs": 1})
        losses.append(
            [done.summary.evaluation_loss for done in epochs(ScoredPairs(model, data, data), settings)]
        )
    assert losses[0] == losses[1]


@pytest.mark.parametrize("rows", [pairs, triplets])
def test_near_texts_come_to_be_the_nearest(model: EmbeddingModel, rows: object) -> None:
    assert callable(rows)
    first, *_, last = epochs(RankedTexts(model, rows(model, 0), rows(model, 50)))
    assert first.summary.accuracy is not None
    assert last.summary.accuracy is not None
    assert last.summary.accuracy > first.summary.accuracy
    assert last.summary.evaluation_loss < first.summary.evaluation_loss


def test_no_text_stands_twice_in_a_batch_where_that_can_be() -> None:
    ids = [[[n % 20] for n in range(60)], [[100 + n] for n in range(60)]]
    sampler = DistinctTexts(EncodedColumns(ids, np.zeros(60), 0), batch_size=8, seed=1)
    orders = []
    for epoch in (1, 2, 1):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[2] != orders[1]
    assert len(orders[0]) == len(sampler) == 8
    assert sorted(index for batch in orders[0] for index in batch) == list(range(60))
    assert all(len({index % 20 for index in batch}) == len(batch) for batch in orders[0])
    same = EncodedColumns([[[1]] * 10, [[2]] * 10], np.zeros(10), 0)
    assert [len(batch) for batch in DistinctTexts(same, 4, 1)] == [4, 4, 2]


def test_a_metric_that_the_data_lack_is_refused_before_training(model: EmbeddingModel) -> None:
    settings = SETTINGS.model_copy(update={"early_stopping": EarlyStopping(metric=StoppingMetric.SPEARMAN)})
    with pytest.raises(
        SettingsError, match=r"earlyStopping\.metric: this task has no Spearman on these data"
    ):
        prepare(RankedTexts(model, pairs(model, 0), pairs(model, 50)), settings)
