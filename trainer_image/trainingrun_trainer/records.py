"""Values that travel between the parts of the trainer."""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainingrun_api.base import Model
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig


@dataclass(frozen=True)
class Example:
    """A labelled text."""

    text: str
    labels: tuple[str, ...]
    """What it is labelled with; exactly one where the task gives each text one label."""
    context: tuple[str, ...] = ()
    """What is known besides the text, "" where it isn't; the same fields in the same order for all texts."""
    source: str = ""
    """The data set it came from: a URI, or the name of a project."""

    @property
    def label(self) -> str:
        """The only label. Raises ValueError when there are others, or none."""
        (label,) = self.labels
        return label

    @cached_property
    def key(self) -> str:
        """What is the same for copies: the text after Unicode NFKC, case folding and white-space folding."""
        return " ".join(unicodedata.normalize("NFKC", self.text).casefold().split())


@dataclass(frozen=True)
class SourceFile:
    """A file of the data set: the URI the user knows it by, and where it was downloaded to."""

    uri: str
    path: Path


@dataclass(frozen=True)
class Splits:
    """Texts to train on and texts to evaluate on; no text is in both."""

    training: list[Example]
    evaluation: list[Example]

    @cached_property
    def labels(self) -> list[str]:
        """All labels, sorted: the order of the model's outputs."""
        return sorted({label for example in [*self.training, *self.evaluation] for label in example.labels})


Targets = NDArray[np.int64]
"""Index of each text's label, (texts,); where it may have several, 1 for each it has, (texts, labels)."""


@dataclass(frozen=True)
class EncodedTexts:
    """Tokenised texts with their labels."""

    input_ids: list[list[int]]
    targets: Targets
    truncated: int = field(compare=False)


class RunRecord(Model):
    """run.json: what a run was made of, to tell later where a model comes from."""

    config: RunConfig
    """Everything the trainer was told."""
    dataset_sha256: str | None = None
    """Fingerprint of the data set's files; None until they have been read."""
    base_model: ResolvedBaseModel | None = None
    """The model that training started from; None until it has been read."""
    versions: dict[str, str]
    """Versions of Python and of the libraries that decide the result."""


def files_sha256(files: list[tuple[str, Path]]) -> str:
    """SHA-256 (hex) over names and contents, in the order given."""
    total = hashlib.sha256()
    for name, path in files:
        total.update(f"{name}\0{file_sha256(path)}\n".encode())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's content."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
