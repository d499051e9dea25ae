"""Values that travel between the parts of the trainer."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_digest

from trainingrun_api.base import Model
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig

from .tokens import TokenIds


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
        """What is the same for duplicates."""
        return normalised(self.text)


def normalised(text: str) -> str:
    """The text after Unicode NFKC, case folding and white-space folding: the same for duplicates."""
    if text.isascii():  # which NFKC leaves as it is; lower() folds its case, at a fraction of the time
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def text_key(text: str) -> bytes:
    """What stands for all duplicates of a text: 128 bits of xxHash (XXH3) of the normalised text.

    With a billion texts, two that differ have the same key with a probability of 1e-21.
    """
    return xxh3_128_digest(normalised(text).encode())


@dataclass(frozen=True)
class Pair:
    """Two texts, or three of a triplet."""

    texts: tuple[str, ...]
    """The first text, one that is near it, and in a triplet one that is far from it."""
    score: float | None = None
    """How much the two texts of a pair are alike; None where they belong together."""
    source: str = ""
    """The data set it came from: a URI, or the name of a project."""


@dataclass(frozen=True)
class SourceFile:
    """A file of the data set."""

    uri: str
    """What the user knows it by."""
    path: Path
    """Where it was downloaded to."""
    kind: str | None = None
    """Suffix of its kind, such as .parquet; None where the URI ends in it."""


Targets = NDArray[np.signedinteger[Any]]
"""Index of each text's label, (texts,); where it may have several, 1 for each it has, (texts, labels).

Not wider than need be: with many labels, most of what memory holds of a text is this."""


Starts = NDArray[np.int32]
"""Tokens of each text before those of its context, (texts,)."""


@dataclass(frozen=True)
class EncodedTexts:
    """Tokenised texts with their labels."""

    input_ids: TokenIds
    targets: Targets
    truncated: int = field(compare=False)
    context_starts: Starts | None = field(default=None, compare=False)
    """Where the model is told which tokens are a text's and which its context's."""


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


def files_sha256(files: Sequence[tuple[str, Path | None]]) -> str:
    """SHA-256 (hex) over names and contents, in the order given; a name alone says which content it is."""
    total = hashlib.sha256()
    for name, path in files:
        total.update(f"{name}\0{file_sha256(path) if path else ''}\n".encode())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's content."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
