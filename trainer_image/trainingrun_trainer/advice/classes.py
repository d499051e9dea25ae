"""Labels that have too few texts, or far fewer than others."""

from collections.abc import Iterator, Sequence

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import ClassScores, LabelParts
from trainingrun_api.training import ClassWeights

from .evidence import Evidence
from .wording import finding, named

FEW = 8
"""Training texts below which a label has too few. With 8 in each of CLINC150's 150 classes accuracy is four
points below that with all; with fewer, one odd text is more than an eighth of what is known of a label."""

RARE = 0.1
"""Share of the texts of the most frequent label below which a label is rare."""

WORSE = 0.1
"""How far scores of some labels are below those of the others when it shows, from 0 to 1."""

LEAST_EVALUATED = 5
"""Evaluation texts without which a share of them says nothing."""


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
        "Label more texts of them, join them with others by spec.labels.aliases, or leave them out with "
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
