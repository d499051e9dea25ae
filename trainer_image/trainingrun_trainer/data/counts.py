"""What became of the texts of each data set."""

import logging
from collections import Counter
from collections.abc import Sequence

from trainingrun_api.evaluation import LabelCount, SourceCounts

from .fields import listed
from .tally import Tally

log = logging.getLogger(__name__)


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
