"""Steps whose losses are read several at once, as on a GPU, are those that are read one by one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from trainingrun_api.evaluation import Divergence
from trainingrun_api.training import MixedPrecision, SimilarityStage, Training
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.model import load
from trainingrun_trainer.training import (
    Decision,
    Diverged,
    Event,
    SaveDue,
    SingleLabelClassification,
    StepDone,
    TrainState,
    fit,
    prepare,
)

from ..conftest import WORDS, ticket_texts

SETTINGS = Training(
    max_epochs=2, batch_size=8, learning_rate=1e-3, mixed_precision=MixedPrecision.FP32, seed=1
)

AT_ONCE = 3
"""Steps, of 8 in an epoch: the last reading of an epoch is shorter."""


def prepared(model: Path, steps: int, **settings: Any) -> tuple[TrainState, Training]:
    torch.manual_seed(0)
    classifier = load(model, "uri", list(WORDS))
    texts = classifier.encode(ticket_texts())
    asked = SETTINGS.model_copy(update=settings)
    state = prepare(SingleLabelClassification(classifier, texts, texts, asked), asked)
    state.steps_to_a_reading = steps
    if state.stage is not None:
        state.stage.steps_to_a_reading = steps
    return state, asked


def untimed(events: list[Event]) -> list[Event]:
    return [replace(event, seconds=0.0) if isinstance(event, StepDone) else event for event in events]


@pytest.mark.parametrize(
    "settings",
    [{}, {"gradient_accumulation_steps": 3}, {"adversarial_epsilon": 0.3}],
    ids=["plain", "accumulation", "noise"],
)
def test_steps_come_to_the_same(pooled_model: Path, settings: dict[str, Any]) -> None:
    found = []
    for steps in (1, AT_ONCE):
        state, asked = prepared(pooled_model, steps, **settings)
        events = [event for event in fit(state, asked) if isinstance(event, StepDone)]
        found.append((untimed(events), state.history.curve, parameters_to_vector(weights(state))))
    one_by_one, several = found
    assert one_by_one[:2] == several[:2]
    assert torch.equal(one_by_one[2], several[2])


def weights(state: TrainState) -> list[torch.nn.Parameter]:
    return list(state.objective.network.parameters())


@pytest.mark.parametrize("step", [1, 4, 5, 8])
def test_the_step_that_diverged_is_told_exactly(pooled_model: Path, step: int) -> None:
    found = []
    for steps in (1, AT_ONCE):
        state, asked = prepared(pooled_model, steps)
        spoil_after(state, step)
        events = list(fit(state, asked))
        assert isinstance(events[-1], Diverged)
        found.append((untimed(events)[1:], state.history.divergence, state.history.curve))
    assert found[0] == found[1]
    assert found[0][1] == Divergence(step=step, epoch=1)


def spoil_after(state: TrainState, steps: int) -> None:
    """Have the loss not be finite after so many steps of the optimizer."""
    network, left = state.objective.network, steps

    def spoil(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            with torch.no_grad():
                next(network.parameters()).fill_(torch.nan)

    state.optimizer.register_step_post_hook(spoil)


@pytest.mark.parametrize("stage", [False, True], ids=["epoch", "stage"])
def test_what_is_taken_is_read_before_a_checkpoint_and_before_the_end(
    pooled_model: Path, stage: bool
) -> None:
    wanted = SimilarityStage.ALWAYS if stage else SimilarityStage.NEVER
    state, asked = prepared(pooled_model, AT_ONCE, similarity_stage=wanted)
    decisions = iter([Decision.GO_ON] * 2 + [Decision.SAVE, Decision.GO_ON, Decision.STOP])
    trained, told = state.stage or state, list[Event]()

    def decide() -> Decision:
        begun = trained.meter is not None
        return next(decisions) if begun else Decision.GO_ON

    events = fit(state, asked)
    if not stage:
        next(events)  # epoch 0
    state.decide = decide
    with pytest.raises(Interrupted):
        told.extend(heard(events, trained))
    assert trained.meter is not None
    assert trained.meter.steps == 5
    assert [isinstance(event, SaveDue) for event in told] == [False] * 3 + [True] + [False] * 2


def heard(events: Iterator[Event], trained: TrainState) -> Iterator[Event]:
    """The events; all steps before a checkpoint have to be in it."""
    steps = 0
    for event in events:
        steps += not isinstance(event, SaveDue)
        assert trained.meter is None or trained.meter.steps == steps
        yield event
