"""Labels that are likely wrong."""

from collections import Counter
from collections.abc import Iterator

from trainingrun_api.advice import Finding, FindingType, Severity

from .evidence import Evidence
from .wording import finding, quoted

NOTED, HARMFUL = 0.02, 0.1
"""Share of the texts looked at that are flagged, from which on it is worth a word, and a warning: of the
example tickets 5 % are, most of them hard rather than wrong, and 11 % with a tenth of the labels wrong."""

LEAST = 5
"""Such texts; a person who reads a few finds them without being told."""


def mislabelled_texts(evidence: Evidence) -> Iterator[Finding]:
    """Many labels are likely wrong."""
    label_issues = evidence.label_issues
    if label_issues is None or label_issues.flagged < max(NOTED * label_issues.judged, LEAST):
        return
    kinds = Counter((one.label, one.suggested) for one in label_issues.texts)
    (label, suggested), _ = kinds.most_common(1)[0]
    yield finding(
        FindingType.MISLABELLED_TEXTS,
        Severity.WARNING if label_issues.flagged >= HARMFUL * label_issues.judged else Severity.INFO,
        f"{label_issues.flagged} of {label_issues.judged} texts look mislabelled, most often with "
        f"{quoted(label)} where {quoted(suggested)} is far more likely",
        "Read them in report.html, which exports them as CSV, and correct those that are wrong; the others "
        "are hard, and more texts like them would help",
        {"flagged": label_issues.flagged, "judged": label_issues.judged},
    )
