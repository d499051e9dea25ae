"""All findings of a run."""

from collections.abc import Callable, Iterator

from trainingrun_api.advice import Finding, Severity
from trainingrun_api.evaluation import DataCounts

from .classes import imbalance, too_few_texts
from .confusions import confused_labels, missing_context, telltale_context
from .copies import conflicting_copies
from .evidence import Evidence
from .fit import better_epoch, final_fit_failed, nothing_gained, overfitting, too_few_epochs, underfitting
from .instability import diverged, evaluation_loss_rose, growing_gradients, loss_jump, one_label
from .label_names import numeric_labels, similar_names
from .marks import rejected_rows
from .mislabelled import mislabelled_texts
from .sample import leaked_texts, seen_texts, small_evaluation_part


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
    conflicting_copies,
    better_epoch,
    overfitting,
    nothing_gained,
    leaked_texts,
    small_evaluation_part,
)
"""What helps most comes first, since a status has room for few."""


def advise(evidence: Evidence) -> list[Finding]:
    """What all checks find, warnings first."""
    found = [finding for check in CHECKS for finding in check(evidence)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.WARNING)
