"""What became of the texts, from file to split."""

from ..base import Model


class DataCounts(Model):
    """Texts at each step from file to split."""

    read: int
    """Texts read."""
    empty: int
    """Left out: no text."""
    unlabelled: int
    """Left out: no label."""
    filtered: int = 0
    """Left out: all its labels are left out by spec.labels."""
    duplicates: int
    """Texts that occur again with the same label; left out when skipDuplicates is on."""
    conflicts: int
    """Texts that occur again with another label; the most frequent label is kept, the first one on a tie."""
    truncated: int
    """Texts longer than maxSequenceLength, which were cut."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""
