"""What training tells whoever listens."""

from dataclasses import dataclass, field

from trainingrun_api.status import EpochSummary

from .objective import Outcome


@dataclass(frozen=True)
class StepDone:
    """An optimizer step, numbered from 1 over all epochs."""

    step: int
    texts: int
    loss: float
    """Mean of the batch, in nats per text."""
    learning_rate: float
    gradient_norm: float
    """Before it is cut to maxGradientNorm."""
    seconds: float
    """From the step before, or the beginning of the epoch, without what the listeners took."""


@dataclass(frozen=True)
class StageStepDone:
    """A step of the similarity stage, before epoch 0."""

    done: StepDone
    total: int
    """Steps of the stage."""


@dataclass(frozen=True)
class Diverged:
    """The loss is not finite: training has ended, and the epochs before count."""

    message: str
    """What was not finite, and what to change."""


@dataclass(frozen=True)
class EpochDone:
    """An epoch, already part of the history."""

    summary: EpochSummary
    is_best: bool
    is_last: bool
    outcome: Outcome | None = field(default=None, repr=False)
    """The pass that its scores were made of; None for epoch 0."""
