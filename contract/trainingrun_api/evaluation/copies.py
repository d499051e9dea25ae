"""Texts that occur again, as they are or nearly."""

from ..base import Model


class TextPair(Model):
    """Two texts that are the same, or nearly; of long ones the beginning."""

    text: str
    """The one that comes first, or is kept."""
    labels: list[str]
    """Its labels."""
    other: str
    """The other one."""
    other_labels: list[str]
    """Its labels."""
    similarity: float
    """Share of character 4-grams that both have, among those that either has (Jaccard), 0 to 1. Near-copies
    of near-copies count too, and may have less in common than spec.nearDuplicates.threshold."""


class CopyExamples(Model):
    """At most 20 pairs of each kind, to look at."""

    duplicates: list[TextPair] = []
    """Texts that occur again with the same labels."""
    conflicts: list[TextPair] = []
    """Texts that occur again with other labels."""
    near_duplicates: list[TextPair] = []
    """Near-copies with the same labels."""
    near_conflicts: list[TextPair] = []
    """Near-copies with other labels."""
    leaked: list[TextPair] = []
    """Texts of evaluationDataset, and training texts that are copies or near-copies of them."""
