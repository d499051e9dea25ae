"""Scores of a model in training, as epochs have them."""

from functools import partial
from itertools import islice

from trainingrun_api.status import EpochSummary

from .batches import Batch
from .divergence import finite
from .objective import Outcome
from .passes import infer
from .steps import batch_loss
from .train_state import TrainState

BATCHES_BEFORE_TRAINING = 50
"""Batches that the training loss of epoch 0 is the mean of: enough to draw where the curve begins."""


def evaluate_untrained(state: TrainState) -> EpochSummary:
    """The model as it is, as epoch 0. Raises DivergedError when a loss is not finite."""
    summary, _ = evaluate_epoch(state, 0, _loss_before_training(state))
    return summary


def evaluate_epoch(state: TrainState, epoch: int, training_loss: float) -> tuple[EpochSummary, Outcome]:
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
