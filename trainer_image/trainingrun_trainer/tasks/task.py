"""What a task is to a run."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import pyarrow as pa
from safetensors.torch import load_model, save_model

from trainingrun_api.evaluation import (
    ClassificationScores,
    DataCounts,
    Evaluation,
    LabelIssues,
    SimilarityScores,
    SourceScores,
)
from trainingrun_api.references import ModelFormat
from trainingrun_api.run_config import RunConfig

from ..base_model import BaseModelFolder
from ..data import FieldValues
from ..distributed import leads_node
from ..model import Classifier, TextModel, export_onnx, make_portable, onnx_card
from ..training import Objective, Outcome, TrainState


class EncodedRows(Protocol):
    """Rows of one split, tokenised."""

    @property
    def truncated(self) -> int:
        """Texts that were cut."""


Model = TypeVar("Model", bound=TextModel)
Rows = TypeVar("Rows", bound=EncodedRows)
Output = TypeVar("Output")


@dataclass(frozen=True)
class TaskData:
    """What there is to say of the data set once it is read."""

    labels: list[str]
    """In the order of the model's outputs; none where the data have none."""
    counts: DataCounts
    """None is truncated yet."""
    sha256: str
    """Fingerprint of the files."""
    fields: Sequence[FieldValues]
    """What rows hold beside texts and labels."""


@dataclass(frozen=True)
class Encoded(Generic[Rows]):
    """Both splits, tokenised."""

    training: Rows
    evaluation: Rows

    @property
    def truncated(self) -> int:
        """Texts that were cut."""
        return self.training.truncated + self.evaluation.truncated


@dataclass(frozen=True)
class EvaluationResult:
    """What the model is worth; scores by the kind of task."""

    loss: float
    predictions: pa.Table
    """What it made of each evaluation text, or pair of them."""
    classification: ClassificationScores | None = None
    loss_of_guessing: float = math.inf
    """Loss of giving labels by how frequent they are, in nats per text; infinite where none are given."""
    similarity: SimilarityScores | None = None
    sources: Sequence[SourceScores] = ()
    """By data set."""
    label_issues: LabelIssues | None = None


@dataclass(frozen=True)
class Untrained:
    """Its weights are kept in a file, which takes no memory beside training."""

    classifier: Classifier
    weights: Path
    head_is_new: bool

    @classmethod
    def of(cls, classifier: Classifier, weights: Path) -> Self:
        """What it is now; its weights are written to a new file, the same for all processes of a node."""
        if leads_node():
            save_model(classifier.network, str(weights))
        return cls(classifier, weights, classifier.head_is_new)

    def restore(self) -> None:
        """Have it be that again, on the device that it is on."""
        network = self.classifier.network
        load_model(network, self.weights, device=str(next(network.parameters()).device))
        self.classifier.head_is_new = self.head_is_new


@dataclass(frozen=True)
class Anew:
    """What the final fit starts from, and what it learns."""

    untrained: Untrained
    objective: Callable[[], Objective]
    """All texts to train on, and the evaluation split."""
    texts: int
    """How many are trained on."""


@dataclass(frozen=True)
class Task(ABC, Generic[Model, Rows, Output]):
    """One kind of data with all that follows from it: model, what is learned, and what is said of the result.

    Nothing else in the trainer knows which task a run has.
    """

    config: RunConfig
    data: TaskData

    @classmethod
    @abstractmethod
    def load(cls, config: RunConfig, folder: Path) -> Self:
        """The task with its data, fetched into a new `folder`. Raises DataError and SettingsError."""

    @abstractmethod
    def load_model(self, base: BaseModelFolder) -> Model:
        """The base model, fit to read these texts. Raises ModelError and SettingsError."""

    @abstractmethod
    def encode(self, model: Model) -> Encoded[Rows]:
        """Both splits, as the model reads them."""

    @abstractmethod
    def objective(self, model: Model, rows: Encoded[Rows]) -> Objective:
        """What training goes by."""

    def references(self, model: Model, rows: Encoded[Rows], state: TrainState) -> Any:
        """What `evaluate` compares with beside the evaluation split, if anything; all processes come here."""
        return None

    @abstractmethod
    def evaluate(
        self, rows: Encoded[Rows], state: TrainState, outcome: Outcome[Output], references: Any
    ) -> EvaluationResult:
        """All scores of the model as it is; `outcome` is its pass over the evaluation split."""

    def save(self, model: Model, evaluation: Evaluation, folder: Path) -> None:
        """Write the model, in all formats that are asked for, and its card into an empty `folder`."""
        model.save(folder)
        make_portable(folder)
        card = self.card(model, evaluation)
        if ModelFormat.ONNX in self.config.formats:
            card += onnx_card(export_onnx(model, folder))
        (folder / "README.md").write_text(card, encoding="utf-8")

    @abstractmethod
    def card(self, model: Model, evaluation: Evaluation) -> str:
        """What README.md says of the published model, in Markdown."""

    def anew(self, model: Model, weights: Path) -> Anew | None:
        """What a final fit goes by, asked for before anything is trained; None where the run has none.

        The model's weights are kept in `weights`, a new file.
        """
        return None
