"""What a model was made from: the model it started from, and the runs behind that one."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from .base import Model

MAX_ANCESTORS = 16
"""Keeps the resource small; the first run and the latest ones stay."""


MAX_NOTES = 4
MAX_NOTE = 256
"""Notes travel in the termination message, which has 4,096 bytes."""


class HeadOrigin(StrEnum):
    """Where the classification head comes from."""

    REUSED = "Reused"
    NEW = "New"


class Ancestor(Model):
    """An earlier run of the chain that ends with this one."""

    run: Annotated[str, Field(max_length=253)]
    """Name of the TrainingRun."""
    model_name: str | None = None
    """Name of the model that it trained."""
    source: str
    """The model that it started from: Default, or where it was read from."""
    digest: str | None = None
    """SHA-256 of the files of the model that it started from."""


class ResolvedBaseModel(Model):
    """The model that training started from."""

    source: str
    """Default, or where it was read from: an s3://, pvc:// or file:// URI, or hf://repository."""
    from_run: str | None = None
    """The earlier run that trained it."""
    revision: str | None = None
    """Commit of the Hugging Face repository."""
    digest: str | None = None
    """SHA-256 of the files read."""
    head: HeadOrigin | None = None
    """Reused: the base model's head has the same labels and is trained further. New: only the body is. Null
    if the task has no head."""
    notes: Annotated[list[Annotated[str, Field(max_length=MAX_NOTE)]], Field(max_length=MAX_NOTES)] = []
    """What was adapted: why the head is new, or embeddings added for a larger tokenizer."""
    lineage: Annotated[list[Ancestor], Field(max_length=MAX_ANCESTORS)] = []
    """The runs behind the base model, from the first to the latest; of more than 16, the first and the latest
    15."""

    def fitted(self, head: HeadOrigin | None, notes: list[str]) -> Self:
        """With what was said when it was loaded, as far as there is room."""
        short = [note if len(note) <= MAX_NOTE else f"{note[: MAX_NOTE - 1]}…" for note in notes]
        return self.model_copy(update={"head": head, "notes": short[:MAX_NOTES]})


def lineage_after(run: str, model_name: str | None, started_from: ResolvedBaseModel | None) -> list[Ancestor]:
    """The chain of runs behind the model that `run` made from `started_from`; it ends with `run`."""
    origin = started_from or ResolvedBaseModel(source="unknown")
    own = Ancestor(run=run, model_name=model_name, source=origin.source, digest=origin.digest)
    chain = [*origin.lineage, own]
    return chain if len(chain) <= MAX_ANCESTORS else [chain[0], *chain[-(MAX_ANCESTORS - 1) :]]
