"""Find copies of texts."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from .records import Example


@dataclass(frozen=True)
class Deduplicated:
    """Each text once, and how many copies there were besides."""

    examples: list[Example]
    duplicates: int
    """Copies with the label that is kept."""
    conflicts: int
    """Copies with another label."""


def deduplicate(examples: list[Example]) -> Deduplicated:
    """Keep the first copy of each text that has the label most copies have (the first such label on a tie).

    Copies are texts with the same `Example.key`. The order of what is kept is that of first occurrence.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.key].append(example)
    kept = [_representative(group) for group in groups.values()]
    same = sum(
        sum(copy.labels == first.labels for copy in group) - 1
        for first, group in zip(kept, groups.values(), strict=True)
    )
    return Deduplicated(kept, duplicates=same, conflicts=len(examples) - len(kept) - same)


def _representative(group: list[Example]) -> Example:
    # Counter keeps insertion order, so the first label wins a tie.
    labels, _ = Counter(example.labels for example in group).most_common(1)[0]
    return next(example for example in group if example.labels == labels)
