"""The training loop: epoch 0, then epoch by epoch, each of steps and an evaluation."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import torch
from accelerate.data_loader import DataLoaderShard, skip_first_batches
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor, nn

from trainingrun_api.evaluation import StageOutcome
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import SimilarityStage, Training

from ..errors import ModelError
from .batches import Batch
from .history import Diverged, EpochDone, History, Meter, StageStepDone, StepDone, merit
from .objective import Objective, Outcome
from .passes import DivergedError, finite, infer
from .train_state import TrainState, prepare_stage

log = logging.getLogger(__name__)

BATCHES_BEFORE_TRAINING = 50
"""Batches that the training loss of epoch 0 is the mean of: enough to draw where the curve begins."""


def fit(state: TrainState, settings: Training) -> Iterator[StageStepDone | StepDone | EpochDone | Diverged]:
    """Train from where the state's history ends, yielding each step and epoch, the stage and epoch 0 first.

    Where its meter stands in an epoch, with the rest of that. `state.heed` may raise Interrupted between
    steps and in evaluations; the state is then as it was after the latest step.

    Ends with Diverged when the loss is not finite. Raises DivergedError when that is so in the stage,
    and ModelError when it is before any training.
    """
    if not state.history.epochs:
        yield from _start(state, settings)
    while not _finished(state):
        yield from _epoch(state, settings)


def _epoch(state: TrainState, settings: Training) -> Iterator[StepDone | EpochDone | Diverged]:
    """Train one more epoch, or the rest of it, which does not count when it diverges."""
    state.heed()
    steps, epoch = state.steps_per_epoch, state.history.trained + 1
    meter = state.meter = state.meter or Meter.of_epoch(steps)
    try:
        for done in train_epoch(state, epoch, done=meter.steps):
            meter.add(done, done.step / steps, last=done.step == epoch * steps)
            yield done
        summary, outcome = evaluate_epoch(state, epoch, meter.total / meter.texts)
    except DivergedError as error:
        trained = state.history.longer(meter.texts, meter.seconds)
        state.meter = None
        state.history = trained.diverged((epoch - 1) * steps + meter.steps, meter.points)
        yield Diverged(str(error))
        return
    trained = state.history.longer(meter.texts, meter.seconds)
    state.meter = None
    state.history = trained.after(summary, meter.points, settings.early_stopping, outcome.loss_error)
    yield EpochDone(summary, state.history.best is summary, _finished(state), outcome)


def _finished(state: TrainState) -> bool:
    history = state.history
    if history.divergence is not None:
        return True
    if state.chosen_epochs is not None:
        return history.trained >= state.chosen_epochs
    return history.trained >= state.max_epochs or history.exhausted(state.recipe.patience)


def _start(state: TrainState, settings: Training) -> Iterator[StageStepDone | EpochDone]:
    """Start the head, which makes the baseline; then do the stage, if there is one. The better is epoch 0.

    Raises ModelError when a loss is not finite before the stage, DivergedError after it.
    """
    stopping = settings.early_stopping
    with _untrained():
        head = state.objective.start_head(state.training)
        # Before the stage, after which the body has learned the labels, wrong ones too.
        issues = state.objective.label_issues(head.probed) if head.probed else None
        state.history = History(method=head.method, metric=stopping.metric, label_issues=issues)
        first = evaluate_untrained(state)
    if state.stage is not None:
        state.history = state.history.model_copy(update={"before_stage": first})
        yield from _do_stage(state, state.stage, settings)
        outcome = state.history.stage
        first = outcome.scores if outcome and outcome.kept else first
    state.history = state.history.after(first, [], stopping)
    yield EpochDone(first, is_best=True, is_last=False)


@contextmanager
def _untrained() -> Iterator[None]:
    """Raise ModelError for what is not finite before any training: no learning rate can have made it so."""
    try:
        yield
    except DivergedError as error:
        raise ModelError(
            f"spec.baseModel: {error.what} is not finite before any training, so the base model is corrupt; "
            "choose another, or an intact copy"
        ) from None


def _do_stage(state: TrainState, stage: Objective, settings: Training) -> Iterator[StageStepDone]:
    network, history = state.objective.network, state.history
    before = _weights(network)
    learner = prepare_stage(state, stage, settings)
    try:
        for done in train_epoch(learner, epoch=1):
            yield StageStepDone(done, learner.steps_per_epoch)
    except RuntimeError as error:
        if settings.similarity_stage is not SimilarityStage.AUTO or not should_reduce_batch_size(error):
            raise
        log.warning("Out of memory in the similarity stage, which is skipped")
        network.load_state_dict(before)
        state.optimizer.zero_grad()
        return
    state.objective.forget_head()
    state.objective.start_head(state.training)
    scores = evaluate_untrained(state)
    kept = _is_kept(state, scores)
    if not kept:
        network.load_state_dict(before)
    outcome = StageOutcome(
        steps=learner.steps_per_epoch, pairs=learner.recipe.batch_size, kept=kept, scores=scores
    )
    state.history = history.model_copy(update={"stage": outcome})


def _is_kept(state: TrainState, scores: EpochSummary) -> bool:
    """Whether the stage came to these better scores than there were before, or was chosen already."""
    baseline, metric = state.history.before_stage, state.history.metric
    if state.chosen_epochs is not None or baseline is None:
        return True
    return merit(scores, metric) > merit(baseline, metric)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()}


def train_epoch(state: TrainState, epoch: int, done: int = 0) -> Iterator[StepDone]:
    """Train one epoch but for the steps that are `done`, yielding each step.

    Raises DivergedError when the loss is not finite.
    """
    started = time.monotonic()
    state.objective.network.train()
    state.training.set_epoch(epoch)  # of the loader, which sets its own count otherwise
    first = (epoch - 1) * state.steps_per_epoch + done + 1
    group = state.recipe.gradient_accumulation_steps
    groups = _groups(_without(state.training, done * group), group)
    for step, batches in enumerate(groups, start=first):
        texts = sum(len(batch.targets) for batch in batches)
        loss = finite(_backward_in_parts(state, batches, texts), f"the training loss of step {step}")
        norm = finite(_step(state), f"the gradient of step {step}")
        yield StepDone(step, texts, loss, state.learning_rate, norm, time.monotonic() - started)
        state.heed()
        started = time.monotonic()


def _without(batches: DataLoaderShard, done: int) -> Iterator[Batch]:
    """The batches after those that are `done`."""
    if not done:
        yield from batches
        return
    remaining = iter(skip_first_batches(batches, done))
    with torch.random.fork_rng(devices=[]):  # a loader draws a number as it begins, which was done before
        first = next(remaining, None)
    if first is not None:
        yield first
        yield from remaining


def _groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Lists of `size` batches, the last one of what is left."""
    remaining = iter(batches)
    return iter(lambda: list(islice(remaining, size)), [])


def _backward_in_parts(state: TrainState, batches: list[Batch], texts: int) -> float:
    """As `_backward`, with batches in twice as many parts from now on when memory is not enough."""
    while True:
        try:
            return _backward(state, [part for batch in batches for part in batch.parts(state.parts)], texts)
        except RuntimeError as error:
            if not _can_divide(state, error):
                raise
        state.parts *= 2
        log.warning(
            "Out of memory with %d texts at once, continuing with %d",
            2 * state.recipe_used.batch_size,
            state.recipe_used.batch_size,
        )
        state.optimizer.zero_grad()
        clear_device_cache(garbage_collection=True)


def _can_divide(state: TrainState, error: RuntimeError) -> bool:
    return state.divisible and state.parts < state.recipe.batch_size and should_reduce_batch_size(error)


def _backward(state: TrainState, batches: list[Batch], texts: int) -> float:
    """Gather the gradient of the mean over all texts of the batches; gives that mean."""
    return sum(_backward_of(state, batch, len(batch.targets) / texts) for batch in batches)


def _backward_of(state: TrainState, batch: Batch, share: float) -> float:
    """Gather `share` of the batch's gradient; gives as much of its loss, which is that without noise."""
    adversarial_noise = state.adversarial_noise
    if adversarial_noise is None:
        return _pass(state, batch, share)
    with adversarial_noise.watching():
        half = _pass(state, batch, share / 2)
    with adversarial_noise.disturbing():
        _pass(state, batch, share / 2)
    return 2 * half


def _pass(state: TrainState, batch: Batch, share: float) -> float:
    loss = batch_loss(state, batch) * share
    state.accelerator.backward(loss)
    return float(loss.detach())


def _step(state: TrainState) -> float:
    """Go a step along the gradient, cut to maxGradientNorm; gives its norm before."""
    norm = state.accelerator.clip_grad_norm_(
        state.objective.network.parameters(), state.recipe.max_gradient_norm
    )
    state.optimizer.step()
    state.schedule.step()
    state.optimizer.zero_grad()
    return float(norm)


def batch_loss(state: TrainState, batch: Batch) -> Tensor:
    """The objective's loss in the precision of training."""
    bf16 = state.recipe.mixed_precision == "bf16"
    with torch.autocast(state.accelerator.device.type, torch.bfloat16, enabled=bf16):
        return state.objective.loss(batch)


def evaluate_untrained(state: TrainState) -> EpochSummary:
    """The model as it is, as epoch 0. Raises DivergedError when a loss is not finite."""
    summary, _ = evaluate_epoch(state, 0, _loss_before_training(state))
    return summary


def evaluate_epoch(state: TrainState, epoch: int, training_loss: float) -> tuple[EpochSummary, Outcome[Any]]:
    """The model after `epoch`, and the pass that its scores were made of.

    Raises DivergedError when the evaluation loss is not finite.
    """
    outcome = state.evaluate()
    summary = EpochSummary(
        epoch=epoch,
        training_loss=training_loss,
        evaluation_loss=outcome.loss,
        learning_rate=state.learning_rate if epoch else 0.0,
        **dict(outcome.scores),
    )
    return summary, outcome


def _loss_before_training(state: TrainState) -> float:
    state.objective.network.eval()
    state.training.set_epoch(1)
    losses, texts = 0.0, 0
    batches = islice(state.training, BATCHES_BEFORE_TRAINING)
    for count, loss in infer(batches, partial(_loss, state), divisible=state.objective.divisible):
        losses += count * loss
        texts += count
    return finite(losses / texts, "the training loss")


def _loss(state: TrainState, batch: Batch) -> tuple[int, float]:
    """Texts, and their mean loss."""
    return len(batch.targets), float(batch_loss(state, batch))
