"""Labels that are likely wrong, with their texts."""

from collections.abc import Sequence

from trainingrun_api.evaluation import MAX_DOUBTED, DoubtedText, LabelDoubts, Part

from ..corpus import Splits, Texts
from ..evaluation import Doubt, Doubts, LabelPredictions, Predictions, find_doubts

LENGTHS = (5000, 2000, 1000, 500)
"""Characters that texts are cut to, from longest on, until all fit."""

ROOM = 150_000
"""Characters of all texts together, which leave report.html within 2 MB."""


def label_doubts(
    of_training: Doubts | None, predictions: LabelPredictions, splits: Splits, labels: Sequence[str]
) -> LabelDoubts | None:
    """Doubts about both parts; None where texts have several labels."""
    if not isinstance(predictions, Predictions):
        return None
    of_evaluation = find_doubts(predictions.targets, predictions.probabilities)
    parts = [(Part.EVALUATION, of_evaluation, splits.evaluation)]
    if of_training is not None:
        parts.append((Part.TRAINING, of_training, splits.training))
    doubted = [(doubt, part, texts) for part, doubts, texts in parts for doubt in doubts.worst]
    worst = sorted(doubted, key=lambda one: one[0].trust)[:MAX_DOUBTED]
    return LabelDoubts(
        judged=sum(doubts.judged for _, doubts, _ in parts),
        doubted=sum(doubts.doubted for _, doubts, _ in parts),
        texts=_fitting([_doubted(texts, doubt, part, labels) for doubt, part, texts in worst]),
    )


def _doubted(texts: Texts, doubt: Doubt, part: Part, labels: Sequence[str]) -> DoubtedText:
    example = texts[doubt.row]
    return DoubtedText(
        text=example.text,
        context=list(example.context),
        source=example.source,
        label=example.label,
        suggested=labels[doubt.suggested],
        probability=doubt.probability,
        part=part,
    )


def _fitting(texts: Sequence[DoubtedText]) -> list[DoubtedText]:
    """The same, long ones cut so that all have room."""
    for length in LENGTHS:
        if sum(min(len(one.text), length) for one in texts) <= ROOM:
            break
    return [
        one.model_copy(update={"text": one.text[:length], "cut": True}) if len(one.text) > length else one
        for one in texts
    ]
