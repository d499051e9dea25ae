"""The training loop: epoch 0, then epoch by epoch, each of steps and an evaluation."""

import logging
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

from ..distributed import at_first, sum_gradients, sum_numbers
from ..errors import Interrupted, ModelError
from .batches import Batch
from .gpu import tf32
from .history import Diverged, EpochDone, History, Meter, SaveDue, StageStepDone, StepDone, merit
from .objective import HeadStart, Outcome
from .passes import DivergedError, finite, infer
from .readings import Readings, Taken
from .sharding import clip_gradients, short_together, whole
from .train_state import Decision, TrainState

log = logging.getLogger(__name__)

BATCHES_BEFORE_TRAINING = 50
"""Batches that the training loss of epoch 0 is the mean of: enough to draw where the curve begins."""


Event = StageStepDone | StepDone | SaveDue | EpochDone | Diverged
"""What a fit says of itself."""


def fit(state: TrainState, settings: Training) -> Iterator[Event]:
    """Train from where the state's history ends, yielding each step and epoch, the stage and epoch 0 first.

    Where its meter stands in an epoch, with the rest of that; likewise in the stage. `state.decide` is asked
    between steps: SaveDue is yielded, or Interrupted raised, which it may be in evaluations too. The state is
    then as it was after the latest step.

    Ends with Diverged when the loss is not finite. Raises DivergedError when that is so in the stage,
    and ModelError when it is before any training.
    """
    if not state.history.epochs:
        yield from _start(state, settings)
    while not _finished(state):
        yield from _epoch(state, settings)


def _follow(decision: Decision) -> Iterator[SaveDue]:
    """Between two steps."""
    match decision:
        case Decision.STOP:
            raise Interrupted
        case Decision.SAVE:
            yield SaveDue()


def _epoch(state: TrainState, settings: Training) -> Iterator[Event]:
    """Train one more epoch, or the rest of it, which does not count when it diverges."""
    yield from _follow(state.decide())
    steps, epoch = state.steps_per_epoch, state.history.trained + 1
    meter = state.meter = state.meter or Meter.of_epoch(steps)
    try:
        for event in train_epoch(state, epoch, done=meter.steps):
            if isinstance(event, StepDone):
                meter.add(event, event.step / steps, last=event.step == epoch * steps)
            yield event
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


def _start(state: TrainState, settings: Training) -> Iterator[Event]:
    """Start the head, which makes the baseline; then do the stage, if there is one. The better is epoch 0.

    Raises ModelError when a loss is not finite before the stage, DivergedError after it.
    """
    first = state.history.before_stage or _baseline(state, settings)
    if state.stage is not None:
        yield from _do_stage(state, state.stage, settings)
        outcome = state.history.stage
        first = outcome.scores if outcome and outcome.kept else first
    state.history = state.history.after(first, [], settings.early_stopping)
    yield EpochDone(first, is_best=True, is_last=False)


def _baseline(state: TrainState, settings: Training) -> EpochSummary:
    """The model as it was loaded, or with its head started."""
    with _untrained():
        head = _start_head(state)
        # Before the stage, after which the body has learned the labels, wrong ones too.
        issues = at_first(lambda: state.objective.label_issues(head.probed) if head.probed else None)
        metric = settings.early_stopping.metric
        state.history = History(method=head.method, metric=metric, label_issues=issues)
        first = evaluate_untrained(state)
    if state.stage is not None:
        state.history = state.history.model_copy(update={"before_stage": first})
        state.before_stage = _weights(state.objective.network)
    return first


def _start_head(state: TrainState) -> HeadStart:
    state.head.set_epoch(0)  # in the same order wherever training goes on from, which sums depend on
    return state.objective.start_head(state.head)


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


def _do_stage(state: TrainState, stage: TrainState, settings: Training) -> Iterator[Event]:
    """Train the stage, or the rest of it, and keep what came of it if that is better."""
    try:
        yield from _stage_steps(state, stage)
    except RuntimeError as error:
        if settings.similarity_stage is not SimilarityStage.AUTO or not should_reduce_batch_size(error):
            raise
        log.warning("Out of memory in the similarity stage, which is skipped")
        _undo_stage(state)
    else:
        state.history = state.history.model_copy(update={"stage": _stage_outcome(state, stage)})
    state.stage = state.before_stage = None


def _stage_steps(state: TrainState, stage: TrainState) -> Iterator[Event]:
    steps = stage.steps_per_epoch
    meter = stage.meter = stage.meter or Meter.of_epoch(steps)
    stage.decide = state.decide
    for event in train_epoch(stage, epoch=1, done=meter.steps):
        if isinstance(event, StepDone):
            meter.add(event, event.step / steps, last=event.step == steps)
            yield StageStepDone(event, steps)
        else:
            yield event


def _stage_outcome(state: TrainState, stage: TrainState) -> StageOutcome:
    """Start the head anew and evaluate it; what is not better is undone."""
    with state.repeatable():
        state.objective.forget_head()
        _start_head(state)
        scores = evaluate_untrained(state)
    kept = _is_kept(state, scores)
    if not kept:
        _undo_stage(state)
    return StageOutcome(steps=stage.steps_per_epoch, pairs=stage.recipe.batch_size, kept=kept, scores=scores)


def _undo_stage(state: TrainState) -> None:
    assert state.before_stage is not None
    state.objective.network.load_state_dict(state.before_stage)
    state.optimizer.zero_grad()


def _is_kept(state: TrainState, scores: EpochSummary) -> bool:
    """Whether the stage came to these better scores than there were before, or was chosen already."""
    baseline, metric = state.history.before_stage, state.history.metric
    if state.chosen_epochs is not None or baseline is None:
        return True
    return merit(scores, metric) > merit(baseline, metric)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()}


def train_epoch(state: TrainState, epoch: int, done: int = 0) -> Iterator[StepDone | SaveDue]:
    """Train one epoch but for the steps that are `done`, yielding each step once its numbers are read.

    All that are taken have been yielded before what `state.decide` says is followed. Raises DivergedError
    when the loss is not finite.
    """
    readings = Readings(state.steps_to_a_reading)
    state.objective.network.train()
    state.training.set_epoch(epoch)  # of the loader, which sets its own count otherwise
    first = (epoch - 1) * state.steps_per_epoch + done + 1
    group = state.recipe.gradient_accumulation_steps
    groups = _groups(_without(state.training, done * group), group)
    with tf32(state.tf32):
        for step, batches in enumerate(groups, start=first):
            readings.add(_take(state, step, batches))
            decision = state.decide()
            if readings.due or decision is not Decision.GO_ON:
                yield from readings.read()
                yield from _follow(decision)
                readings.restart()
    yield from readings.read()


def _take(state: TrainState, step: int, batches: list[Batch]) -> Taken:
    """Learn the batches, in one step of the optimizer, without waiting for the device."""
    texts = sum(batch.total for batch in batches)
    loss = _backward_in_parts(state, batches, texts)
    norm = _step(state)
    return Taken(step, texts, loss, norm, state.learning_rate)


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


def _backward_in_parts(state: TrainState, batches: list[Batch], texts: int) -> Tensor:
    """As `_backward`, with batches in twice as many parts from now on when memory is not enough anywhere."""
    while True:
        try:
            with short_together(state.objective.network):
                parts = [part for batch in batches for part in batch.parts(state.parts)]
                return _backward(state, parts, texts)
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


def _backward(state: TrainState, batches: list[Batch], texts: int) -> Tensor:
    """Gather the gradient of these rows' part in the mean over all `texts` of a step; gives that part."""
    first, *others = (_backward_of(state, batch, batch.total / texts) for batch in batches)
    return sum(others, start=first)


def _backward_of(state: TrainState, batch: Batch, share: float) -> Tensor:
    """Gather `share` of the batch's gradient; gives as much of its loss, which is that without noise."""
    adversarial_noise = state.adversarial_noise
    if adversarial_noise is None:
        return _pass(state, batch, share)
    with adversarial_noise.watching():
        half = _pass(state, batch, share / 2)
    with adversarial_noise.disturbing():
        _pass(state, batch, share / 2)
    return 2 * half


def _pass(state: TrainState, batch: Batch, share: float) -> Tensor:
    loss = batch_loss(state, batch) * share
    state.accelerator.backward(loss)
    return loss.detach().double()


def _step(state: TrainState) -> Tensor:
    """Go a step along the gradient of all processes, cut to maxGradientNorm; gives its norm before."""
    parameters = list(state.objective.network.parameters())
    sum_gradients(whole(parameters))
    norm = clip_gradients(parameters, state.recipe.max_gradient_norm)
    state.optimizer.step()
    state.schedule.step()
    state.optimizer.zero_grad()
    return norm


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
    losses, texts = 0.0, 0.0
    batches = islice(state.training, BATCHES_BEFORE_TRAINING)
    objective = state.objective
    for count, loss in infer(
        objective.network, batches, partial(_loss, state), divisible=objective.divisible
    ):
        losses += loss
        texts += count
    losses, texts = sum_numbers(losses, texts)
    return finite(losses / texts, "the training loss")


def _loss(state: TrainState, batch: Batch) -> tuple[float, float]:
    """Texts, and the sum of their losses; what processes have adds up."""
    return batch.share * batch.total, batch.total * float(batch_loss(state, batch))
