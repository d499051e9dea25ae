"""How training went."""

from ..base import Model
from ..status import EpochSummary


class LossPoint(Model):
    """One point of the training curve."""

    step: int
    """Optimizer step, from 1."""
    epoch: float
    """Passes over the training split."""
    loss: float
    """Mean loss of the texts since the point before, in nats per text."""
    learning_rate: float
    """Learning rate of the body."""
    gradient_norm: float
    """Largest norm of the gradient since the point before, as it was before it was cut to maxGradientNorm."""


class Restart(Model):
    """Training went on from a checkpoint, after what came later was lost."""

    step: int
    """Optimizer steps done by then."""
    epoch: int
    """Epochs done by then."""


class Divergence(Model):
    """The loss was not finite, which ended training."""

    step: int
    """Optimizer steps done by then."""
    epoch: int
    """Epoch that was being trained; it is not among the epochs."""


class Curves(Model):
    """How training went."""

    training_loss: list[LossPoint]
    """By step, at most about 100 points an epoch."""
    epochs: list[EpochSummary]
    """By epoch, from 0, the model before training: losses, accuracy, F1, learning rate."""
    restarts: list[Restart] = []
    """Where training went on after the run was interrupted, in order."""
    divergence: Divergence | None = None
    """Where the loss was not finite; null where it always was."""
