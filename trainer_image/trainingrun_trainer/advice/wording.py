"""Findings in words that have room in a status."""

from collections.abc import Mapping, Sequence

from trainingrun_api.advice import MAX_SENTENCE, Finding, FindingType, Severity

LONGEST_NAME = 40
"""Characters of a label; longer ones are cut."""

ROOM = 110
"""Characters for the names in a sentence: less than half of it."""


def finding(
    kind: FindingType, severity: Severity, message: str, suggestion: str, evidence: Mapping[str, float]
) -> Finding:
    """A finding whose sentences are cut to what a status holds, and whose numbers have four digits."""
    return Finding(
        type=kind,
        severity=severity,
        message=cut(message, MAX_SENTENCE),
        evidence={name: float(f"{value:.4g}") for name, value in evidence.items()},
        suggestion=cut(suggestion, MAX_SENTENCE),
    )


def named(labels: Sequence[str]) -> str:
    """As many of the labels as there is room for, at least one, and how many more there are."""
    names = [quoted(label) for label in labels]
    shown = len(names)
    while shown > 1 and len(", ".join(names[:shown])) > ROOM:
        shown -= 1
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more else "")


def quoted(label: str) -> str:
    """A label, or its beginning, in quotation marks."""
    return repr(cut(label, LONGEST_NAME))


def cut(text: str, length: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
