"""Learning rates, order, early stopping, head start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import EarlyStopping, Lora, MixedPrecision, Schedule, Training
from trainingrun_trainer.errors import SettingsError
from trainingrun_trainer.model import load
from trainingrun_trainer.training import History, SingleLabelClassification, StepDone, fit, prepare
from trainingrun_trainer.training.batches import LengthGroups
from trainingrun_trainer.training.optimizer import (
    HEAD_FACTOR,
    build_optimizer,
    build_schedule,
    default_learning_rate,
)
from trainingrun_trainer.training.recipe import CPU_FLAGS, choose_precision

from ..conftest import WORDS, ticket_texts, tickets


def history(
    losses: list[float], stopping: EarlyStopping, f1: list[float] | None = None, error: float = 0.0
) -> History:
    past = History(metric=stopping.metric)
    for number, (loss, score) in enumerate(zip(losses, f1 or losses, strict=True), start=1):
        epoch = EpochSummary(
            epoch=number, training_loss=1, evaluation_loss=loss, accuracy=0, f1=score, learning_rate=0
        )
        past = past.after(epoch, [], stopping, error)
    return past


def test_training_stops_after_patience_and_the_lowest_loss_is_best() -> None:
    stopping = EarlyStopping()
    assert not history([3, 1, 2], stopping).exhausted(2)
    past = history([3, 1, 2, 1], stopping)
    assert past.exhausted(2)
    assert past.best.epoch == 2


def test_of_losses_that_only_chance_tells_apart_the_last_is_best() -> None:
    stopping = EarlyStopping()
    as_good = history([3, 1, 1.1, 1.2, 1.15], stopping, error=0.25)
    assert as_good.best.epoch == 5
    assert not as_good.exhausted(2)
    worse = history([3, 1, 1.1, 1.3, 1.4], stopping, error=0.25)
    assert worse.best.epoch == 3
    assert worse.exhausted(2)


def test_no_epoch_is_as_good_that_is_worse_than_the_model_before_training() -> None:
    stopping = EarlyStopping()
    assert history([1.1, 1, 1.05, 1.15], stopping, error=0.25).best.epoch == 3
    assert history([1, 1.05, 1.1], stopping, error=0.25).best.epoch == 1


def test_by_another_metric_the_highest_is_best_whatever_the_loss() -> None:
    by_f1 = EarlyStopping(metric=StoppingMetric.F1)
    assert history([3, 1, 1.1], by_f1, f1=[0.5, 0.7, 0.6], error=0.25).best.epoch == 2


def test_a_fall_smaller_than_min_delta_is_no_improvement() -> None:
    stopping = EarlyStopping(min_delta=0.5)
    past = history([3, 2.8, 2.6], stopping)
    assert past.exhausted(2)
    assert past.best.epoch == 3
    assert not history([3, 2.8, 2.4], stopping).exhausted(2)


def test_the_metric_decides_which_epoch_is_best_and_when_to_stop() -> None:
    losses, f1 = [1, 2, 3, 2.5], [0.5, 0.6, 0.7, 0.7]
    stopping = EarlyStopping()
    assert history(losses, stopping, f1).best.epoch == 1
    assert history(losses, stopping, f1).exhausted(3)
    by_f1 = EarlyStopping(metric=StoppingMetric.F1)
    assert history(losses, by_f1, f1).best.epoch == 4  # on a tie, the lower loss
    assert not history(losses, by_f1, f1).exhausted(3)


def test_a_metric_that_the_task_lacks_is_refused() -> None:
    epoch = EpochSummary(epoch=0, training_loss=1, evaluation_loss=1, learning_rate=0)
    with pytest.raises(SettingsError, match=r"earlyStopping\.metric: this task has no F1"):
        History(metric=StoppingMetric.F1).after(epoch, [], EarlyStopping())


def test_each_epoch_has_its_own_order_of_all_texts_and_batches_of_like_length() -> None:
    lengths = np.array([n % 50 for n in range(640)])
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
    return SingleLabelClassification(classifier, texts, texts, Training())


def test_the_head_learns_ten_times_as_fast_and_biases_do_not_decay(
    objective: SingleLabelClassification,
) -> None:
    groups = build_optimizer(objective, 1e-4, 0.01, layer_decay=1.0, head_factor=HEAD_FACTOR).param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (1e-4, 0.01),
        (1e-4, 0.0),
        (1e-3, 0.01),
        (1e-3, 0.0),
    ]
    assert sum(len(group["params"]) for group in groups) == len(list(objective.network.parameters()))
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])


def test_each_layer_learns_at_a_share_of_the_rate_of_the_next(objective: SingleLabelClassification) -> None:
    optimizer = build_optimizer(objective, 1e-4, 0.01, layer_decay=0.5, head_factor=HEAD_FACTOR)
    rates = {id(parameter): group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    names = dict(objective.network.named_parameters())
    for name, factor in {
        "embeddings.word_embeddings": 0.25,
        "layer.0.attention.self.query": 0.5,
        "layer.1.attention.self.query": 1,
        "linear": HEAD_FACTOR,
    }.items():
        (parameter,) = [value for full, value in names.items() if full.endswith(f"{name}.weight")]
        assert rates[id(parameter)] == pytest.approx(1e-4 * factor)
    assert optimizer.param_groups[0]["lr"] == 1e-4


def test_embeddings_decay_and_normalisation_weights_of_any_shape_do_not(
    objective: SingleLabelClassification,
) -> None:
    layers = torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.LayerNorm((3, 4)), torch.nn.Linear(4, 4))
    objective.network.add_module("more", layers)
    groups = build_optimizer(objective, 1e-4, 0.01, layer_decay=1.0, head_factor=HEAD_FACTOR).param_groups
    decaying = {id(parameter) for group in groups if group["weight_decay"] for parameter in group["params"]}
    assert [id(parameter) in decaying for parameter in layers.parameters()] == [
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("schedule", "half_way", "end"),
    [(Schedule.LINEAR, 5 / 9, 0), (Schedule.COSINE, 0.586824, 0), (Schedule.CONSTANT, 1, 1)],
)
def test_the_learning_rate_rises_over_the_warmup_then_follows_its_schedule(
    objective: SingleLabelClassification, schedule: Schedule, half_way: float, end: float
) -> None:
    optimizer = build_optimizer(objective, 1e-2, 0.0, layer_decay=0.5, head_factor=HEAD_FACTOR)
    course = build_schedule(optimizer, schedule, total_steps=100, warmup_steps=10)
    rates = []
    for _ in range(100):
        optimizer.step()
        course.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[4] == pytest.approx(5e-3)
    assert max(rates) == rates[9] == pytest.approx(1e-2)
    assert rates[49] == pytest.approx(half_way * 1e-2)
    assert rates[-1] == pytest.approx(end * 1e-2)


@pytest.mark.parametrize(
    ("parameters", "rate", "of_adapters"),
    [(22_000_000, 2e-4, 1e-3), (110_000_000, 5e-5, 5e-4), (340_000_000, 2e-5, 2e-4)],
)
def test_larger_models_learn_in_smaller_steps(parameters: int, rate: float, of_adapters: float) -> None:
    assert default_learning_rate(parameters, lora=False) == rate
    assert default_learning_rate(parameters, lora=True) == pytest.approx(of_adapters)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [({}, 4), ({"warmup_ratio": 0.5}, 20), ({"warmup_ratio": 0}, 0), ({"warmup_steps": 40}, 40)],
)
def test_the_warmup_is_a_tenth_of_all_steps_or_what_is_asked_for(
    objective: SingleLabelClassification, settings: dict[str, float], steps: int
) -> None:
    training = Training(batch_size=8, max_epochs=5).model_copy(update=settings)  # 60 texts: 8 steps an epoch
    assert prepare(objective, training).recipe.warmup_steps == steps


@pytest.mark.parametrize(
    ("settings", "epochs", "patience"),
    [
        ({"batch_size": 1}, 5, 3),  # 300 steps
        ({"batch_size": 4}, 12, 12),  # 15 in an epoch: 180 steps
        ({"batch_size": 32}, 20, 20),  # 2 in an epoch: as many epochs as there may be
        ({"batch_size": 32, "early_stopping": EarlyStopping(patience=4)}, 20, 4),
        ({"batch_size": 32, "max_epochs": 7}, 7, 3),
    ],
    ids=["many steps", "few steps", "very few steps", "patience asked for", "epochs asked for"],
)
def test_few_texts_make_more_epochs_all_of_which_are_waited_for(
    objective: SingleLabelClassification, settings: dict[str, Any], epochs: int, patience: int
) -> None:
    recipe = prepare(objective, Training(**settings)).recipe
    assert (recipe.max_epochs, recipe.patience) == (epochs, patience)


def test_a_warmup_longer_than_training_is_refused_with_the_steps_there_are(
    objective: SingleLabelClassification,
) -> None:
    with pytest.raises(
        SettingsError, match=r"warmupSteps is 41, but training takes only 40 steps \(8 in each of 5"
    ):
        prepare(objective, Training(batch_size=8, max_epochs=5, warmup_steps=41))


def first_update(pooled_model: Path, **settings: int) -> Tensor:
    torch.manual_seed(0)
    classifier = load(pooled_model, "uri", list(WORDS))
    for module in classifier.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    texts = classifier.encode(ticket_texts()[:32])
    training = Training(learning_rate=1e-3, warmup_steps=0, mixed_precision=MixedPrecision.FP32, **settings)
    state = prepare(SingleLabelClassification(classifier, texts, texts, training), training)
    before = parameters_to_vector(classifier.network.parameters()).detach().clone()
    steps = (event for event in fit(state, training) if isinstance(event, StepDone))
    assert next(steps).texts == settings["batch_size"] * settings.get("gradient_accumulation_steps", 1)
    return parameters_to_vector(classifier.network.parameters()).detach() - before


def test_accumulated_batches_make_the_step_of_one_large_batch(pooled_model: Path) -> None:
    large = first_update(pooled_model, batch_size=32)
    accumulated = first_update(pooled_model, batch_size=8, gradient_accumulation_steps=4)
    small = first_update(pooled_model, batch_size=8)
    assert float((accumulated - large).norm() / large.norm()) < 0.01
    assert float((small - large).norm() / large.norm()) > 0.1


def test_a_frozen_body_stays_as_it_was_while_the_head_learns(objective: SingleLabelClassification) -> None:
    training = Training(max_epochs=1, freeze_body=True, learning_rate=1e-2, batch_size=8)
    head = list(objective.head_parameters())
    state = prepare(objective, training)
    assert state.recipe.trained_parameters == sum(parameter.numel() for parameter in head) == 32 * 3 + 3
    events = fit(state, training)
    next(events)  # epoch 0 starts the head
    before = {name: value.clone() for name, value in objective.network.state_dict().items()}
    list(events)
    changed = [
        name for name, value in objective.network.state_dict().items() if not value.equal(before[name])
    ]
    assert len(changed) == len(head) == 2


def test_a_new_head_on_pooled_texts_starts_better_than_chance(objective: SingleLabelClassification) -> None:
    state = prepare(objective, Training())
    before = state.evaluate()
    objective.start_head(state.training)
    after = state.evaluate()
    assert [list(WORDS)[target] for target in after.output.targets] == [t["label"] for t in tickets()]
    assert after.scores.accuracy is not None
    assert after.scores.accuracy > 0.8
    assert after.loss < before.loss


def test_adapters_and_head_learn_at_one_rate_and_leave_an_ordinary_model(
    objective: SingleLabelClassification,
) -> None:
    training = Training(max_epochs=2, lora=Lora(rank=2), batch_size=8, learning_rate=1e-2)
    names = objective.network.state_dict().keys()
    state = prepare(objective, training)
    learning = {name for name, p in objective.network.named_parameters() if p.requires_grad}
    assert all("lora_" in name or "linear" in name for name in learning)
    assert state.recipe.trained_parameters < state.recipe.parameters / 3
    assert {group["lr"] for group in state.optimizer.param_groups} <= {0, 1e-2}
    before = state.evaluate().loss
    list(fit(state, training))
    trained = state.evaluate().loss
    assert trained < before
    state.merge_adapters()
    assert state.evaluate().loss == pytest.approx(trained, abs=1e-5)
    assert objective.network.state_dict().keys() == names
    assert all(parameter.requires_grad for parameter in objective.network.parameters())


def test_precision_is_what_is_asked_for() -> None:
    assert choose_precision(MixedPrecision.FP32, "bert") == "no"
    assert choose_precision(MixedPrecision.BF16, "bert") == "bf16"


def test_precision_is_one_that_the_architecture_can_be_computed_in() -> None:
    assert choose_precision(MixedPrecision.AUTO, "deberta") == "no"
    with pytest.raises(SettingsError, match="BF16, which deberta doesn't support: set FP32"):
        choose_precision(MixedPrecision.BF16, "deberta")


def test_precision_is_chosen_for_the_hardware_and_not_by_chance() -> None:
    random = torch.get_rng_state()
    chosen = choose_precision(MixedPrecision.AUTO, "bert")
    assert torch.equal(torch.get_rng_state(), random)
    bf16 = not CPU_FLAGS.isdisjoint(Path("/proc/cpuinfo").read_text().split()) or torch.cuda.is_available()
    assert chosen in ({"no", "bf16"} if bf16 else {"no"})
