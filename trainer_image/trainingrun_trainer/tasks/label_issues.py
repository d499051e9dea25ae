"""Labels that are likely wrong, with their texts."""

from collections.abc import Sequence

from trainingrun_api.evaluation import MAX_FLAGGED, FlaggedText, LabelIssues, Part

from ..corpus import Splits, Texts
from ..evaluation import FoundIssues, LabelIssue

LENGTHS = (5000, 2000, 1000, 500)
"""Characters that texts are cut to, from longest on, until all fit."""

ROOM = 150_000
"""Characters of all texts together, which leave report.html within 2 MB."""


def collect_label_issues(
    of_training: FoundIssues | None, of_evaluation: FoundIssues | None, splits: Splits
) -> LabelIssues | None:
    """Those of both splits, as far as they are known; None where neither is."""
    both = (
        (Part.EVALUATION, of_evaluation, splits.evaluation),
        (Part.TRAINING, of_training, splits.training),
    )
    parts = [(part, found, texts) for part, found, texts in both if found is not None]
    if not parts:
        return None
    flagged = [(issue, part, texts) for part, label_issues, texts in parts for issue in label_issues.worst]
    worst = sorted(flagged, key=lambda one: one[0].trust)[:MAX_FLAGGED]
    return LabelIssues(
        judged=sum(label_issues.judged for _, label_issues, _ in parts),
        flagged=sum(label_issues.flagged for _, label_issues, _ in parts),
        texts=_fitting([_flagged(texts, issue, part, splits.labels) for issue, part, texts in worst]),
    )


def _flagged(texts: Texts, issue: LabelIssue, part: Part, labels: Sequence[str]) -> FlaggedText:
    example = texts[issue.row]
    return FlaggedText(
        text=example.text,
        context=list(example.context),
        source=example.source,
        label=example.label,
        suggested=labels[issue.suggested],
        probability=issue.probability,
        part=part,
    )


def _fitting(texts: Sequence[FlaggedText]) -> list[FlaggedText]:
    """The same, long ones cut so that all have room."""
    for length in LENGTHS:
        if sum(min(len(one.text), length) for one in texts) <= ROOM:
            break
    return [
        one.model_copy(update={"text": one.text[:length], "cut": True}) if len(one.text) > length else one
        for one in texts
    ]
