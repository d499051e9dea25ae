"""The training loop."""

from collections.abc import Iterator

from trainingrun_api.training import Training

from .divergence import DivergedError
from .evaluating import evaluate_epoch
from .events import Diverged, EpochDone, StageStepDone, StepDone
from .meter import Meter
from .start import start
from .steps import train_epoch
from .train_state import TrainState


def fit(state: TrainState, settings: Training) -> Iterator[StageStepDone | StepDone | EpochDone | Diverged]:
    """Train from where the state's history ends, yielding each step and epoch, the stage and epoch 0 first.

    Where its meter stands in an epoch, with the rest of that. `state.heed` may raise Interrupted between
    steps and in evaluations; the state is then as it was after the latest step.

    Ends with Diverged when the loss is not finite. Raises DivergedError when that is so in the stage,
    and ModelError when it is before any training.
    """
    if not state.history.epochs:
        yield from start(state, settings)
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
