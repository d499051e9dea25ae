"""Divide texts into a part to train on and a part to evaluate on."""

import hashlib
from collections import Counter, defaultdict
from itertools import accumulate

from .errors import DataError
from .records import Example, Splits


def split(examples: list[Example], train_percent: int, seed: int) -> Splits:
    """Split, stratified by label: the same texts and seed always give the same parts.

    Texts are ordered by a hash of seed and content, so that new texts hardly move the others. All copies of a
    text go to one side; it counts for the label most of them have. A label with one text is only trained on.
    Raises DataError when there is nothing to tell apart or nothing to evaluate on.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.key].append(example)
    strata: dict[str, list[list[Example]]] = defaultdict(list)
    for group in sorted(groups.values(), key=lambda group: _rank(seed, group[0].key)):
        strata[_majority(group)].append(group)
    _require_classes(strata)
    cuts = {
        label: _cut([len(group) for group in stratum], train_percent) for label, stratum in strata.items()
    }
    return Splits(
        training=_flat([group for label in sorted(strata) for group in strata[label][: cuts[label]]]),
        evaluation=_flat([group for label in sorted(strata) for group in strata[label][cuts[label] :]]),
    )


def _rank(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()


def _majority(group: list[Example]) -> str:
    return Counter(", ".join(example.labels) for example in group).most_common(1)[0][0]


def _cut(sizes: list[int], train_percent: int) -> int:
    """How many groups to train on: the number of texts nearest to the share, one group left on each side."""
    if len(sizes) == 1:
        return 1
    wanted = sum(sizes) * train_percent / 100
    texts = list(accumulate(sizes))
    return min(range(1, len(sizes)), key=lambda cut: abs(texts[cut - 1] - wanted))


def _require_classes(strata: dict[str, list[list[Example]]]) -> None:
    if len(strata) < 2:
        found = f"all texts have the label {next(iter(strata))!r}" if strata else "there is no labelled text"
        raise DataError(f"{found}: a classifier needs texts of two labels; see spec.dataset.labelField")
    if all(len(stratum) == 1 for stratum in strata.values()):
        raise DataError(
            "no label has two different texts, so nothing is left to evaluate on: add texts, "
            "or name the field that holds the label in spec.dataset.labelField"
        )


def _flat(groups: list[list[Example]]) -> list[Example]:
    return [example for group in groups for example in group]
