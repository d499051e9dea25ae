"""Labels that have too few texts or far fewer than others, and names that make one wonder."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import ClassScores, DataCounts, LabelParts
from trainingrun_api.training import ClassWeights

from .evidence import Evidence
from .wording import ROOM, finding, named, quoted

FEW = 8
"""Training texts below which a label has too few. With 8 in each of CLINC150's 150 classes accuracy is four
points below that with all; with fewer, one odd text is more than an eighth of what is known of a label."""

RARE = 0.1
"""Share of the texts of the most frequent label below which a label is rare."""

WORSE = 0.1
"""How far scores of some labels are below those of the others when it shows, from 0 to 1."""

LEAST_EVALUATED = 5
"""Evaluation texts without which a share of them says nothing."""

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


def too_few_texts(evidence: Evidence) -> Iterator[Finding]:
    """Labels with less than FEW texts to learn from; a warning where the model is worse at these."""
    few = sorted((one for one in evidence.data.by_label if one.training < FEW), key=lambda one: one.training)
    if not few or evidence.scores is None:
        return
    recall, others = _recalls(evidence.scores.classes, few)
    suffers = recall is not None and others is not None and recall < others - WORSE
    count = f"{len(few)} label{'s have' if len(few) > 1 else ' has'}"
    yield finding(
        FindingType.TOO_FEW_TEXTS,
        Severity.WARNING if suffers else Severity.INFO,
        f"{count} fewer than {FEW} texts to learn from: {named([one.label for one in few])}",
        "Label more of their texts, merge them with others by spec.labels.aliases, or leave them out with "
        "spec.labels.exclude",
        {"labels": len(few), "fewestTexts": few[0].training} | _known(recall=recall, recallOfOthers=others),
    )


def imbalance(evidence: Evidence) -> Iterator[Finding]:
    """Rare labels, which have enough texts to be learned, are found far less often than the others."""
    most = max((one.training for one in evidence.data.by_label), default=0)
    rare = [one for one in evidence.data.by_label if FEW <= one.training < RARE * most]
    if not rare or evidence.scores is None or sum(one.evaluation for one in rare) < LEAST_EVALUATED:
        return
    recall, others = _recalls(evidence.scores.classes, rare)
    if recall is None or others is None or recall > others - WORSE:
        return
    more = "label more texts of the rare labels"
    weighted = evidence.settings.training.class_weights is ClassWeights.BALANCED
    yield finding(
        FindingType.IMBALANCE,
        Severity.WARNING,
        f"Rare labels are missed: {100 * recall:.0f} % of their texts are found, {100 * others:.0f} % of the "
        f"others'. They are {named([one.label for one in rare])}",
        more.capitalize() if weighted else f"Set spec.training.classWeights to Balanced, or {more}",
        {"labels": len(rare), "mostTexts": most, "recall": recall, "recallOfOthers": others},
    )


def _recalls(
    scores: Sequence[ClassScores], chosen: Sequence[LabelParts]
) -> tuple[float | None, float | None]:
    """Share of the texts of the chosen labels that were given their label, and of all other labels'."""
    names = {one.label for one in chosen}
    inside = [one for one in scores if one.label in names]
    outside = [one for one in scores if one.label not in names]
    return _recall(inside), _recall(outside)


def _recall(scores: Sequence[ClassScores]) -> float | None:
    texts = sum(one.support for one in scores)
    return sum(one.recall * one.support for one in scores) / texts if texts else None


def _known(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def similar_names(data: DataCounts) -> Iterator[Finding]:
    """Labels whose names differ in case, punctuation or the form of a number alone; with the aliases to join
    them by, the name with most texts last."""
    groups = _alike(data.by_label)
    if not groups:
        return
    more = f" (more such groups: {len(groups) - 1})" if len(groups) > 1 else ""
    yield finding(
        FindingType.SIMILAR_NAMES,
        Severity.WARNING,
        f"{named(groups[0])} are separate labels whose names differ only in case, punctuation or "
        f"notation{more}",
        f"If they mean the same, merge them: spec.labels.aliases: {_aliases(groups)}",
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
        "whose order and distance from others aren't used",
        "If they are amounts or scores, that is a task for regression, which isn't supported: use a few "
        "ranges as labels, such as low and high. If they are codes, nothing is wrong",
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
