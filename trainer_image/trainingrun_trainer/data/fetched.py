"""Data sets on this machine."""

from dataclasses import dataclass

from trainingrun_api.dataset import DataSource

from ..records import SourceFile


@dataclass(frozen=True)
class FetchedSource:
    """A data set, and its files on this machine."""

    source: DataSource
    files: list[SourceFile]
    commit: str | None = None
    """Commit of the Hugging Face repository that they are of; None for files of an object store."""

    @property
    def place(self) -> str:
        """Its files, for messages."""
        first, *others = self.files
        return f"{first.uri} and {len(others)} more files" if others else first.uri
