"""The training loop."""

from collections.abc import Iterator

from trainingrun_api.training import Training

from .divergence import DivergedError
from .evaluating import evaluate_epoch
from .events import Diverged, EpochDone, StageStepDone, StepDone
from .meter import Meter
from .start import start
from .steps import train_epoch
from .trainee import Trainee


def fit(trainee: Trainee, settings: Training) -> Iterator[StageStepDone | StepDone | EpochDone | Diverged]:
    """Train from where the trainee's history ends, yielding each step and epoch, the stage and epoch 0 first.

    Where its meter stands in an epoch, with the rest of that. `trainee.heed` may raise Interrupted between
    steps and in evaluations; the trainee is then as it was after the latest step.

    Ends with Diverged when the loss is no number any more. Raises DivergedError when that is so in the stage,
    and ModelError when it is before any training.
    """
    if not trainee.history.epochs:
        yield from start(trainee, settings)
    while not _finished(trainee):
        yield from _epoch(trainee, settings)


def _epoch(trainee: Trainee, settings: Training) -> Iterator[StepDone | EpochDone | Diverged]:
    """Train one more epoch, or the rest of it, which does not count when it diverges."""
    trainee.heed()
    steps, epoch = trainee.steps_per_epoch, trainee.history.trained + 1
    meter = trainee.meter = trainee.meter or Meter.of_epoch(steps)
    try:
        for done in train_epoch(trainee, epoch, done=meter.steps):
            meter.add(done, done.step / steps, last=done.step == epoch * steps)
            yield done
        summary, outcome = evaluate_epoch(trainee, epoch, meter.total / meter.texts)
    except DivergedError as error:
        trained = trainee.history.longer(meter.texts, meter.seconds)
        trainee.meter = None
        trainee.history = trained.diverged((epoch - 1) * steps + meter.steps, meter.points)
        yield Diverged(str(error))
        return
    trained = trainee.history.longer(meter.texts, meter.seconds)
    trainee.meter = None
    trainee.history = trained.after(summary, meter.points, settings.early_stopping, outcome.loss_error)
    yield EpochDone(summary, trainee.history.best is summary, _finished(trainee), outcome)


def _finished(trainee: Trainee) -> bool:
    history = trainee.history
    if history.divergence is not None:
        return True
    if trainee.chosen_epochs is not None:
        return history.trained >= trainee.chosen_epochs
    return history.trained >= trainee.max_epochs or history.exhausted(trainee.recipe.patience)
