"""The stage before classification: labels come apart, the head stays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from trainingrun_api.metrics import StoppingMetric
from trainingrun_api.training import (
    EarlyStopping,
    Lora,
    MixedPrecision,
    SimilarityStage,
    Training,
)
from trainingrun_trainer.errors import SettingsError
from trainingrun_trainer.evaluation import LabelledEmbeddings, average_precision
from trainingrun_trainer.model import PooledClassifier, load
from trainingrun_trainer.records import EncodedTexts, Example
from trainingrun_trainer.training import (
    EpochDone,
    LabelContrast,
    SingleLabelClassification,
    StageStepDone,
    StepDone,
    fit,
    prepare,
    stage_steps,
)
from trainingrun_trainer.training.batches import Batch
from trainingrun_trainer.training.contrast import LabelPairs
from trainingrun_trainer.training.fit import train_epoch
from trainingrun_trainer.training.train_state import prepare_stage

from ..conftest import WORDS, tickets

SETTINGS = Training(learning_rate=1e-3, batch_size=6, mixed_precision=MixedPrecision.FP32)


@pytest.fixture
def classifier(pooled_model: Path) -> PooledClassifier:
    torch.manual_seed(0)
    loaded = load(pooled_model, "uri", list(WORDS))
    assert isinstance(loaded, PooledClassifier)
    return loaded


def encoded(classifier: PooledClassifier) -> EncodedTexts:
    return classifier.encode([Example(ticket["text"], (ticket["label"],)) for ticket in tickets()])


def learn(classifier: PooledClassifier, texts: EncodedTexts, steps: int) -> list[StepDone]:
    contrast = LabelContrast(classifier, texts, texts, steps)
    return list(train_epoch(prepare(contrast, SETTINGS.model_copy(update={"max_epochs": 1})), epoch=1))


def separation(classifier: PooledClassifier, texts: EncodedTexts) -> float:
    classifier.network.eval()
    with torch.no_grad():
        embeddings = classifier.embed(classifier.pad(texts.input_ids[:])).numpy()
    return average_precision(LabelledEmbeddings(embeddings, np.array(texts.targets)))


def test_labels_come_apart_and_the_head_stays(classifier: PooledClassifier) -> None:
    texts = encoded(classifier)
    before, head = separation(classifier, texts), [p.clone() for p in classifier.head_parameters()]
    steps = learn(classifier, texts, steps=40)
    assert separation(classifier, texts) > before + 0.2
    assert all(torch.equal(p, q) for p, q in zip(classifier.head_parameters(), head, strict=True))
    assert [step.step for step in steps] == list(range(1, 41))
    assert {step.texts for step in steps} == {12}
    assert np.mean([step.loss for step in steps[-5:]]) < np.mean([step.loss for step in steps[:5]])


def test_the_stage_is_the_same_each_time(pooled_model: Path) -> None:
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        classifier = load(pooled_model, "uri", list(WORDS))
        assert isinstance(classifier, PooledClassifier)
        losses.append([step.loss for step in learn(classifier, encoded(classifier), steps=5)])
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("texts", "settings", "done"),
    [
        (45, {}, True),
        (48, {}, False),  # 16 a label
        (45, {"similarity_stage": SimilarityStage.NEVER}, False),
        (48, {"similarity_stage": SimilarityStage.ALWAYS}, True),
        (45, {"freeze_body": True}, False),
    ],
)
def test_the_stage_is_done_where_texts_are_few_or_as_asked(
    classifier: PooledClassifier, texts: int, settings: dict[str, object], done: bool
) -> None:
    all_texts = encoded(classifier)
    few = EncodedTexts(all_texts.input_ids[:texts], np.arange(texts) % 3, 0)
    asked = SETTINGS.model_copy(update=settings)
    stage = SingleLabelClassification(classifier, few, few, asked).stage(asked)
    assert (stage is not None) is done


def test_a_model_without_pooling_has_no_stage_and_says_so_when_asked(plain_model: Path) -> None:
    classifier = load(plain_model, "uri", list(WORDS))
    texts = classifier.encode([Example(ticket["text"], (ticket["label"],)) for ticket in tickets(5)])
    objective = SingleLabelClassification(classifier, texts, texts, SETTINGS)
    assert objective.stage(SETTINGS) is None
    asked = SETTINGS.model_copy(update={"similarity_stage": SimilarityStage.ALWAYS})
    with pytest.raises(SettingsError, match=r"spec\.training\.similarityStage is Always, but this base"):
        objective.stage(asked)


class Hungry(LabelContrast):
    """Asks for more memory than there is in its third step, in torch's words for it."""

    steps_left = 2

    def loss(self, batch: Batch) -> Tensor:
        if not self.steps_left:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        self.steps_left -= 1
        return super().loss(batch)


@pytest.mark.parametrize("asked", [SimilarityStage.AUTO, SimilarityStage.ALWAYS])
def test_a_stage_that_memory_is_too_small_for_is_left_out_unless_it_was_asked_for(
    classifier: PooledClassifier, asked: SimilarityStage
) -> None:
    texts = encoded(classifier)
    settings = SETTINGS.model_copy(update={"max_epochs": 1, "similarity_stage": asked})
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    state.stage = prepare_stage(Hungry(classifier, texts, texts, steps=5), state.recipe, settings)
    before = [p.clone() for p in classifier.network[0].parameters()]
    events = fit(state, settings)
    if asked is SimilarityStage.ALWAYS:
        with pytest.raises(torch.OutOfMemoryError):
            list(events)
        return
    kinds = [type(event) for event in (next(events), next(events), next(events))]
    assert kinds == [StageStepDone, StageStepDone, EpochDone]
    assert all(torch.equal(p, q) for p, q in zip(classifier.network[0].parameters(), before, strict=True))
    assert state.history.stage is None
    assert state.history.baseline.scores == state.history.epochs[0]


@pytest.mark.parametrize("metric", [StoppingMetric.F1, StoppingMetric.ACCURACY])
def test_the_stage_goes_with_metrics_of_the_classifier(
    classifier: PooledClassifier, metric: StoppingMetric
) -> None:
    texts = encoded(classifier)
    changes = {"max_epochs": 1, "early_stopping": EarlyStopping(metric=metric)}
    settings = SETTINGS.model_copy(update={**changes, "similarity_stage": SimilarityStage.ALWAYS})
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    assert StageStepDone in map(type, list(fit(state, settings)))
    assert state.history.metric is metric
    assert state.history.stage is not None


def test_the_stage_learns_at_half_the_rate_of_what_follows(classifier: PooledClassifier) -> None:
    texts = encoded(classifier)
    settings = SETTINGS.model_copy(update={"max_epochs": 1, "similarity_stage": SimilarityStage.ALWAYS})
    state = prepare(SingleLabelClassification(classifier, texts, texts, settings), settings)
    events = list(fit(state, settings))
    stage = [event.done.learning_rate for event in events if isinstance(event, StageStepDone)]
    after = [event.learning_rate for event in events if isinstance(event, StepDone)]
    assert max(after) == state.recipe.learning_rate == 1e-3
    assert max(stage) == 5e-4


@pytest.mark.parametrize(
    ("texts", "settings", "layer_decay"),
    [
        (48, {"similarity_stage": SimilarityStage.ALWAYS}, 0.32),  # of two layers, embeddings at a tenth
        (48, {"similarity_stage": SimilarityStage.ALWAYS, "layer_decay": 0.9}, 0.9),
        (48, {"similarity_stage": SimilarityStage.ALWAYS, "lora": Lora()}, 1),
        (48, {}, 1),  # no stage
        (45, {}, 1),  # a stage, and few texts
    ],
)
def test_after_a_stage_on_many_texts_layers_near_the_input_learn_slower(
    classifier: PooledClassifier, texts: int, settings: dict[str, object], layer_decay: float
) -> None:
    some = classifier.encode([Example(f"text {n}", (list(WORDS)[n % 3],)) for n in range(texts)])
    objective = SingleLabelClassification(classifier, some, some, Training())
    assert prepare(objective, SETTINGS.model_copy(update=settings)).recipe.layer_decay == layer_decay


def test_few_texts_are_drawn_often_and_many_seldom() -> None:
    assert stage_steps(10, 32) == 50
    assert stage_steps(1200, 32) == 188
    assert stage_steps(1_000_000, 32) == 500


def test_within_a_group_each_pair_has_another_label() -> None:
    targets = [n % 3 for n in range(30)] + [3]
    sampler = LabelPairs(targets, pairs=8, batches=5, seed=1)
    assert (sampler.group, len(sampler)) == (4, 5)
    for batch in sampler:
        labels = [
            (targets[first], targets[second]) for first, second in zip(batch[::2], batch[1::2], strict=True)
        ]
        assert all(first == second for first, second in labels)
        assert all(len(set(labels[start : start + 4])) == 4 for start in (0, 4))


def test_all_texts_are_drawn_and_each_epoch_differs() -> None:
    targets = [0] * 10 + [1] * 10
    sampler = LabelPairs(targets, pairs=4, batches=5, seed=1)
    orders = []
    for epoch in (1, 2, 1):
        sampler.set_epoch(epoch)
        orders.append([index for batch in sampler for index in batch])
    assert orders[0] == orders[2] != orders[1]
    assert set(orders[0]) == set(range(20))


def test_more_labels_than_pairs_take_turns() -> None:
    sampler = LabelPairs([n // 4 for n in range(400)], pairs=8, batches=25, seed=1)
    drawn = [index // 4 for batch in sampler for index in batch[::2]]
    assert len(set(drawn)) == 100
