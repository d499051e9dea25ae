"""What a task is to training: its batches, its loss, its scores."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from trainingrun_api.evaluation import BaselineMethod
from trainingrun_api.metrics import Scores, StoppingMetric
from trainingrun_api.training import Training

from ..evaluation import FoundIssues
from .batches import Batch, BatchLoader
from .probe import Probed

Output = TypeVar("Output")


@dataclass(frozen=True)
class Outcome(Generic[Output]):
    """One pass over the evaluation split."""

    loss: float
    """Mean per text, in the unit of `Objective.loss`."""
    scores: Scores
    """Those that the task has."""
    output: Output
    """What they were made of, in the order of the texts: predicted labels, or embeddings of each column; the
    first process alone has it."""
    loss_error: float = 0.0
    """Standard error of that mean, where its texts are a sample; 0 where they are not taken for one."""


class HeadStart(NamedTuple):
    """What a model starts from."""

    method: BaselineMethod = BaselineMethod.BASE_MODEL
    """How it came by its head."""
    probed: Probed | None = None
    """What a new head was started from."""


class Objective(ABC):
    """One network, and what it learns; nothing else in training knows the task."""

    network: nn.Module
    """All that is trained, saved and restored."""

    metrics: ClassVar[frozenset[StoppingMetric]]
    """What early stopping can go by."""

    divisible: ClassVar[bool] = True
    """Whether the loss of a batch is the mean over its texts, so that a part of it has the same meaning."""

    adversarial: ClassVar[bool] = False
    """Whether it is known to gain from noise on the embeddings of tokens."""

    least_steps: ClassVar[int] = 0
    """Optimizer steps that it takes to learn what even few texts say."""

    @property
    def few_texts(self) -> bool:
        """Whether labels have so few texts that what a body learns counts for more than what it knew."""
        return False

    def stage(self, settings: Training) -> "Objective | None":
        """What the same network learns before epoch 0, in one epoch; None when there is no such stage.

        Raises SettingsError when the settings ask for a stage that can't be.
        """
        return None

    def forget_head(self) -> None:
        """Have `start_head` start any head anew: the stage has changed what an earlier one was made for."""
        return

    @abstractmethod
    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that start anew for this task and learn faster; none where there is no head."""

    @abstractmethod
    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """Batches to train on, in the order that `seed` and `set_epoch` fix."""

    @abstractmethod
    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        """Batches for `evaluate`, always in the same order."""

    def head_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """Batches for `start_head`; those to train on, where there is no head."""
        return self.training_batches(batch_size, seed)

    @abstractmethod
    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        """Give a head that is new a better start than chance, from the training split; says what was done."""

    def label_issues(self, probed: Probed) -> FoundIssues | None:
        """Labels of the training split that are likely wrong, by what a new head was started from; None where
        that doesn't tell."""
        return None

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """What this process's rows of a training batch make of its mean loss per text, a scalar; called under
        autocast.

        What all processes have adds up to the loss of the batch, and so do their gradients.
        """

    @abstractmethod
    def evaluate(self, batches: Iterable[Batch]) -> Outcome[Any] | None:
        """Loss, scores and predictions over `evaluation_batches`, at the first process; None at the others.

        Without autocast, so that whoever loads the published model gets the same numbers. Raises
        DivergedError when the loss is not finite, of which no scores can be made.
        """
