"""Texts that occur again with other labels."""

from collections import Counter
from collections.abc import Iterator, Sequence

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import TextPair

from .evidence import Evidence
from .wording import finding, named

NOTED, HARMFUL = 0.01, 0.05
"""Share of the texts that contradict another one, from which on it is worth a word, and from which on it
costs points: of two like texts with different labels a model can be right on one."""


def conflicting_copies(evidence: Evidence) -> Iterator[Finding]:
    """The same text, or nearly, has different labels."""
    data = evidence.data
    texts = data.read - data.rows_filtered - data.empty - data.unlabelled - data.filtered
    found = data.conflicts + data.near_conflicts
    if not found or found < NOTED * texts:
        return
    labels = _most_frequent([*data.examples.conflicts, *data.examples.near_conflicts])
    yield finding(
        FindingType.CONFLICTING_COPIES,
        Severity.WARNING if found >= HARMFUL * texts else Severity.INFO,
        _counted(data.conflicts, data.near_conflicts)
        + (f"; most often with {named(labels)}" if labels else ""),
        "Correct their labels: some are under Data in report.html. If something besides the text decides, "
        "add it to spec.contextParameters",
        {"conflicts": data.conflicts, "nearConflicts": data.near_conflicts, "texts": texts},
    )


def _counted(conflicts: int, near_conflicts: int) -> str:
    if not conflicts:
        return f"{near_conflicts} texts nearly occur again with another label"
    return f"{conflicts} texts occur again with another label" + (
        f", and {near_conflicts} nearly so" if near_conflicts else ""
    )


def _most_frequent(pairs: Sequence[TextPair]) -> list[str]:
    """The labels that occur most often together; none without single labels."""
    single = [(pair.labels, pair.other_labels) for pair in pairs]
    counted = Counter(tuple(sorted([*one, *other])) for one, other in single if len(one) == len(other) == 1)
    return list(counted.most_common(1)[0][0]) if counted else []
