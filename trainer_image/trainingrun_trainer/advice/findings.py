"""All findings of a run."""

from collections.abc import Callable, Iterator

from trainingrun_api.advice import Finding, Severity

from .course import Course
from .instability import evaluation_loss_rose, growing_gradients, loss_jump, one_label

CHECKS: tuple[Callable[[Course], Iterator[Finding]], ...] = (
    loss_jump,
    evaluation_loss_rose,
    one_label,
    growing_gradients,
)


def advise(course: Course) -> list[Finding]:
    """What all checks find, warnings first."""
    found = [finding for check in CHECKS for finding in check(course)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.WARNING)
