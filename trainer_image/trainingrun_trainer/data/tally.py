"""What one data set held."""

from collections import Counter
from dataclasses import dataclass, field

from .rows import Row

ROWS_LISTED = 1000
"""Rows whose fields messages can list."""


@dataclass
class Tally:
    """What one data set held; complete when its last row has been read."""

    source: str
    revision: str | None = None
    """Commit of the Hugging Face repository; None for files of an object store."""
    read: int = 0
    rows_filtered: int = 0
    """Rows that spec.dataset.filter leaves out."""
    empty: int = 0
    unlabelled: int = 0
    used: int = 0
    filtered: int = 0
    """Texts all of whose labels spec.labels leaves out."""
    labels: Counter[str] = field(default_factory=Counter)
    """Texts of each label that is used."""
    left_out: set[str] = field(default_factory=set)
    """Labels of filtered texts."""
    without_context: Counter[str] = field(default_factory=Counter)
    """Used texts that have no value, of each field of the context."""
    fields: set[str] = field(default_factory=set)
    """Fields of the first rows."""
    has_labels: bool = False
    """Whether any row has the field of the label."""

    def count(self, row: Row) -> None:
        """One more row is read."""
        self.read += 1
        if self.read <= ROWS_LISTED:
            self.fields.update(row.names())
