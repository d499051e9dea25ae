"""What data sets held, and what became of their texts."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from trainingrun_api.evaluation import LabelCount, SourceCounts

from .rows import Row, listed

ROWS_LISTED = 1000
"""Rows whose fields messages can list."""

log = logging.getLogger(__name__)


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
    disputed: int = 0
    """Texts without a label that more than half of their annotators gave."""
    disagreed: int = 0
    """Used texts whose annotators don't agree."""
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


def source_counts(
    tallies: Sequence[Tally], training: Counter[str], evaluation: Counter[str]
) -> list[SourceCounts]:
    """Counts by data set, with how many of each are in both parts; the first one is the main one."""
    return [
        SourceCounts(
            source=tally.source,
            revision=tally.revision,
            read=tally.read,
            rows_filtered=tally.rows_filtered,
            empty=tally.empty,
            unlabelled=tally.unlabelled,
            disputed=tally.disputed,
            disagreed=tally.disagreed,
            filtered=tally.filtered,
            used=tally.used,
            training=training[tally.source],
            evaluation=evaluation[tally.source],
            labels=[LabelCount(label=label, texts=texts) for label, texts in sorted(tally.labels.items())],
            common_labels=len(tally.labels.keys() & tallies[0].labels),
        )
        for tally in tallies
    ]


def log_sources(tallies: Sequence[Tally]) -> None:
    """Say of each additional data set how it overlaps with the main one."""
    main, *others = tallies
    for other in others:
        common, own = other.labels.keys() & main.labels, other.labels.keys() - main.labels
        shared = ", ".join(
            f"{label} ({main.labels[label]} + {other.labels[label]})" for label in sorted(common)[:20]
        )
        log.info(
            "%s: %d texts with %d labels, %d of them also in %s%s%s",
            other.source,
            other.used,
            len(other.labels),
            len(common),
            main.source,
            f": {shared}" if shared else "",
            f"; new: {listed(own)}" if own else "",
        )
