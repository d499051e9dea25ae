"""Labels that are likely wrong, with their texts."""

from collections.abc import Sequence

from trainingrun_api.evaluation import MAX_FLAGGED, FlaggedText, LabelIssues, Part

from ..corpus import Splits, Texts
from ..evaluation import FoundIssues, LabelIssue, LabelPredictions, Predictions, find_label_issues

LENGTHS = (5000, 2000, 1000, 500)
"""Characters that texts are cut to, from longest on, until all fit."""

ROOM = 150_000
"""Characters of all texts together, which leave report.html within 2 MB."""


def collect_label_issues(
    of_training: FoundIssues | None, predictions: LabelPredictions, splits: Splits, labels: Sequence[str]
) -> LabelIssues | None:
    """Those of both splits; None where texts have several labels."""
    if not isinstance(predictions, Predictions):
        return None
    of_evaluation = find_label_issues(predictions.targets, predictions.probabilities)
    parts = [(Part.EVALUATION, of_evaluation, splits.evaluation)]
    if of_training is not None:
        parts.append((Part.TRAINING, of_training, splits.training))
    flagged = [(issue, part, texts) for part, label_issues, texts in parts for issue in label_issues.worst]
    worst = sorted(flagged, key=lambda one: one[0].trust)[:MAX_FLAGGED]
    return LabelIssues(
        judged=sum(label_issues.judged for _, label_issues, _ in parts),
        flagged=sum(label_issues.flagged for _, label_issues, _ in parts),
        texts=_fitting([_flagged(texts, issue, part, labels) for issue, part, texts in worst]),
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
