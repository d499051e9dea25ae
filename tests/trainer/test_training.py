"""Learning rates, order, early stopping, head start."""

from pathlib import Path

import pytest
import torch

from trainingrun_api.status import EpochSummary
from trainingrun_api.training import EarlyStopping, MixedPrecision, Training
from trainingrun_trainer.model import load
from trainingrun_trainer.training import History, SingleLabelClassification, prepare
from trainingrun_trainer.training.batches import LengthGroups
from trainingrun_trainer.training.optimizer import build_optimizer, build_schedule
from trainingrun_trainer.training.precision import choose_precision

from .conftest import WORDS, ticket_texts, tickets


def history(losses: list[float], stopping: EarlyStopping) -> History:
    past = History()
    for number, loss in enumerate(losses, start=1):
        epoch = EpochSummary(
            epoch=number, training_loss=1, evaluation_loss=loss, accuracy=0, f1=0, learning_rate=0
        )
        past = past.after(epoch, [], stopping)
    return past


def test_training_stops_after_patience_and_the_lowest_loss_is_best() -> None:
    stopping = EarlyStopping(patience=2)
    assert not history([3, 1, 2], stopping).exhausted(stopping)
    past = history([3, 1, 2, 1], stopping)
    assert past.exhausted(stopping)
    assert past.best.epoch == 2


def test_a_fall_smaller_than_min_delta_is_no_improvement() -> None:
    stopping = EarlyStopping(patience=2, min_delta=0.5)
    past = history([3, 2.8, 2.6], stopping)
    assert past.exhausted(stopping)
    assert past.best.epoch == 3
    assert not history([3, 2.8, 2.4], stopping).exhausted(stopping)


def test_each_epoch_has_its_own_order_of_all_texts_and_batches_of_like_length() -> None:
    lengths = [n % 50 for n in range(640)]
    sampler = LengthGroups(lengths, batch_size=8, seed=1)
    orders = []
    for epoch in (1, 2, 1):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[2] != orders[1]
    assert sorted(index for batch in orders[0] for index in batch) == list(range(640))
    assert len(orders[0]) == len(sampler)
    spread = [max(lengths[i] for i in batch) - min(lengths[i] for i in batch) for batch in orders[0]]
    assert sum(spread) / len(spread) < 10


@pytest.fixture
def objective(pooled_model: Path) -> SingleLabelClassification:
    torch.manual_seed(0)
    classifier = load(pooled_model, "uri", list(WORDS))
    texts = classifier.encode(ticket_texts())
    return SingleLabelClassification(classifier, texts, texts)


def test_the_head_learns_ten_times_as_fast_and_biases_do_not_decay(
    objective: SingleLabelClassification,
) -> None:
    groups = build_optimizer(objective, Training(learning_rate=1e-4)).param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (1e-4, 0.01),
        (1e-4, 0.0),
        (1e-3, 0.01),
        (1e-3, 0.0),
    ]
    assert sum(len(group["params"]) for group in groups) == len(list(objective.network.parameters()))
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])


def test_the_learning_rate_rises_over_a_tenth_of_all_steps_then_falls_to_zero(
    objective: SingleLabelClassification,
) -> None:
    optimizer = build_optimizer(objective, Training(learning_rate=1.0e-2))
    schedule = build_schedule(optimizer, total_steps=100, warmup_steps=None)
    rates = []
    for _ in range(100):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[4] == pytest.approx(5e-3)
    assert max(rates) == rates[9] == pytest.approx(1e-2)
    assert rates[-1] == 0


def test_a_new_head_on_pooled_texts_starts_better_than_chance(objective: SingleLabelClassification) -> None:
    trainee = prepare(objective, Training())
    before = trainee.evaluate()
    objective.start_head(trainee.training)
    after = trainee.evaluate()
    assert [list(WORDS)[target] for target in after.predictions.targets] == [t["label"] for t in tickets()]
    assert after.accuracy is not None
    assert after.accuracy > 0.8
    assert after.loss < before.loss


def test_precision_is_what_is_asked_for() -> None:
    assert choose_precision(MixedPrecision.NO) == "no"
    assert choose_precision(MixedPrecision.BF16) == "bf16"
    assert choose_precision(MixedPrecision.AUTO) in {"no", "bf16"}
