"""All findings of a run."""

from collections.abc import Callable, Iterator

from trainingrun_api.advice import Finding, Severity
from trainingrun_api.evaluation import DataCounts

from .confusions import confused_labels, missing_context, telltale_context
from .evidence import Evidence
from .fit import (
    better_epoch,
    diverged,
    evaluation_loss_rose,
    final_fit_failed,
    growing_gradients,
    loss_jump,
    nothing_gained,
    one_label,
    overfitting,
    starved_devices,
    too_few_epochs,
    underfitting,
)
from .labels import imbalance, numeric_labels, similar_names, too_few_texts
from .texts import (
    conflicting_duplicates,
    leaked_texts,
    mislabelled_texts,
    rejected_rows,
    seen_texts,
    small_evaluation_split,
)


def advise_on_labels(data: DataCounts) -> Iterator[Finding]:
    """What names of labels show, which is known before training."""
    yield from numeric_labels(data)
    yield from similar_names(data)


def _on_labels(evidence: Evidence) -> Iterator[Finding]:
    return advise_on_labels(evidence.data)


CHECKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    diverged,
    final_fit_failed,
    loss_jump,
    evaluation_loss_rose,
    one_label,
    growing_gradients,
    seen_texts,
    rejected_rows,
    _on_labels,
    underfitting,
    too_few_epochs,
    mislabelled_texts,
    missing_context,
    telltale_context,
    confused_labels,
    imbalance,
    too_few_texts,
    conflicting_duplicates,
    better_epoch,
    overfitting,
    nothing_gained,
    leaked_texts,
    small_evaluation_split,
    starved_devices,
)
"""What helps most comes first, since a status has room for few."""


def advise(evidence: Evidence) -> list[Finding]:
    """What all checks find, warnings first."""
    found = [finding for check in CHECKS for finding in check(evidence)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.WARNING)
