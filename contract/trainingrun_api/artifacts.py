"""What a run leaves, and where: each artifact's name under the prefix of the run."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from .base import Model


class ArtifactName(StrEnum):
    """A file or folder under the prefix of a run's results."""

    MODEL = "model"
    REPORT = "report.html"
    PREDICTIONS = "predictions.parquet"
    EVALUATION = "evaluation.json"
    TENSORBOARD = "tensorboard"
    CHECKPOINTS = "checkpoints"
    RUN = "run.json"
    ATTEMPT = "attempt.txt"


class Artifacts(Model):
    """Where results are."""

    model: str
    """Folder of the published model."""
    evaluation: str
    """evaluation.json."""
    predictions: str | None = None
    """predictions.parquet: every evaluation text with its labels, probabilities and loss."""
    report: str | None = None
    """report.html: scores, confusions with their texts, curves; one file for a browser."""
    tensorboard: str | None = None
    """Folder with an event file for TensorBoard: losses, scores, learning rate, gradient norm."""
    checkpoints: str
    """Folder of the checkpoints."""
    run: str
    """run.json: configuration, fingerprint of the data, versions."""


MAX_PUSH_MESSAGE = 512


class PushedModel(Model):
    """The published model on the Hugging Face Hub."""

    repo_id: str
    """Repository."""
    revision: str | None = None
    """Commit that holds the model; absent if it couldn't be pushed."""
    message: Annotated[str, Field(max_length=MAX_PUSH_MESSAGE)] = ""
    """Why it couldn't be pushed, and what to change."""

    def in_words(self) -> str:
        """One sentence, without its full stop."""
        if self.revision is not None:
            return f"Pushed to {self.repo_id}, revision {self.revision}"
        return f"Not pushed to {self.repo_id}: {self.message}"


@dataclass(frozen=True)
class ArtifactPaths:
    """URIs of one run's artifacts under `prefix`, which has no slash at its end."""

    prefix: str

    @classmethod
    def beside(cls, model: str) -> Self:
        """Those of the run that published the model at this URI."""
        return cls(model.rstrip("/").rpartition("/")[0])

    def uri(self, name: ArtifactName) -> str:
        """Where one of them is."""
        return f"{self.prefix}/{name}"

    @property
    def model(self) -> str:
        """Folder of the published model."""
        return self.uri(ArtifactName.MODEL)

    @property
    def evaluation(self) -> str:
        """evaluation.json, written last."""
        return self.uri(ArtifactName.EVALUATION)

    @property
    def predictions(self) -> str:
        """predictions.parquet."""
        return self.uri(ArtifactName.PREDICTIONS)

    @property
    def report(self) -> str:
        """report.html."""
        return self.uri(ArtifactName.REPORT)

    @property
    def checkpoints(self) -> str:
        """Folder of the checkpoints."""
        return self.uri(ArtifactName.CHECKPOINTS)

    def final_checkpoints(self, epochs: int) -> str:
        """Folder of the checkpoints of a final fit of so many epochs."""
        return f"{self.checkpoints}/final-{epochs:04d}"

    @property
    def tensorboard(self) -> str:
        """Folder of the event file."""
        return self.uri(ArtifactName.TENSORBOARD)

    @property
    def run(self) -> str:
        """run.json."""
        return self.uri(ArtifactName.RUN)

    @property
    def attempt(self) -> str:
        """attempt.txt: which attempt writes, of two that train at once."""
        return self.uri(ArtifactName.ATTEMPT)

    def artifacts(self) -> Artifacts:
        """All of them, for status."""
        return Artifacts(**{name: getattr(self, name) for name in Artifacts.model_fields})
