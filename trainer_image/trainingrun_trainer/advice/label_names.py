"""Names of labels that make one wonder: those that differ in next to nothing, and numbers."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import DataCounts, LabelParts

from .wording import ROOM, finding, named, quoted

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)

PLAIN_NUMBER = re.compile(r"([+-]?)0*(\d+?)(?:\.(\d*?)0*)?")
"""Sign, digits before the point and digits after it, without zeros that don't count."""

MANY_NUMBERS = 30
"""Labels that are numbers, above which they are amounts or codes: a scale from 0 to 10 in halves has 21."""

MOSTLY = 0.9
"""Share of all labels that are numbers then: some data have a word, such as unknown, among them."""

BETWEEN_WORDS = re.compile(r"((?!(?<!\w)-\d)[\s_.,:;!?'\"’‘“”()\[\]{}/|–—-])+")  # noqa: RUF001
"""White space and punctuation that spellings differ in; not the minus sign of a number, nor what may be all
that tells two names apart, as in C# and C++."""


def similar_names(data: DataCounts) -> Iterator[Finding]:
    """Labels whose names differ in case, punctuation or the form of a number alone; with the aliases to join
    them by, the name with most texts last."""
    groups = _alike(data.by_label)
    if not groups:
        return
    more = f" (names like these: {len(groups) - 1} times more)" if len(groups) > 1 else ""
    yield finding(
        FindingType.SIMILAR_NAMES,
        Severity.WARNING,
        f"{named(groups[0])} are labels of their own, whose names differ in case, punctuation or form{more}",
        f"If they mean the same, join them: spec.labels.aliases: {_aliases(groups)}",
        {"labels": sum(map(len, groups)), "groups": len(groups)},
    )


def numeric_labels(data: DataCounts) -> Iterator[Finding]:
    """Many labels, nearly all of which are numbers: likely amounts.

    A warning where some are no whole numbers, which codes mostly are.
    """
    numbers = {one.label: _number(one.label) for one in data.by_label if NUMBER.fullmatch(one.label)}
    if len(numbers) <= MANY_NUMBERS or len(numbers) < MOSTLY * len(data.by_label):
        return
    whole = all(number == number.to_integral_value() for number in numbers.values())
    yield finding(
        FindingType.NUMERIC_LABELS,
        Severity.INFO if whole else Severity.WARNING,
        f"Labels are numbers: {named(sorted(numbers, key=numbers.__getitem__))}. Each is a class of its own, "
        "with nothing in common with its neighbours",
        "If they are amounts or scores, that is a task for regression, which isn't offered: label by a few "
        "ranges, such as low and high. If they are codes, nothing is wrong",
        {"labels": len(numbers)},
    )


def _number(label: str) -> Decimal:
    return Decimal(label.replace(",", "."))


def _alike(labels: Sequence[LabelParts]) -> list[list[str]]:
    """Labels with one key, those with most texts first."""
    groups: defaultdict[str, list[LabelParts]] = defaultdict(list)
    for one in labels:
        groups[_key(one.label)].append(one)
    alike = [sorted(group, key=_texts, reverse=True) for group in groups.values() if len(group) > 1]
    alike.sort(key=lambda group: sum(map(_texts, group)), reverse=True)
    return [[one.label for one in group] for group in alike]


def _texts(label: LabelParts) -> int:
    return label.training + label.evaluation


def _key(name: str) -> str:
    """What names have in common that differ in case, width, punctuation, or the form of a number alone."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    if number := PLAIN_NUMBER.fullmatch(folded):
        sign, whole, fraction = number.groups(default="")
        return f"{sign.strip('+')}{whole}.{fraction}"
    return BETWEEN_WORDS.sub(_divider, folded) or folded


def _divider(between: re.Match[str]) -> str:
    """A space between digits, where 1-2 is not 12; else nothing."""
    text, start, end = between.string, between.start(), between.end()
    return " " if text[:start][-1:].isdigit() and text[end:][:1].isdigit() else ""


def _aliases(groups: Sequence[Sequence[str]]) -> str:
    """As many as there is room for, in YAML."""
    pairs = [f"{quoted(alias)}: {quoted(name)}" for name, *others in groups for alias in others]
    shown = len(pairs)
    while shown > 1 and len(", ".join(pairs[:shown])) > ROOM:
        shown -= 1
    more = len(pairs) - shown
    return f"{{{', '.join(pairs[:shown])}}}" + (f" and {more} more" if more else "")
