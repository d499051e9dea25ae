"""Evidence made by hand: of a run that went well, but for what a test says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainingrun_api.evaluation import ClassificationScores, Curves, DataCounts, LabelParts, LossPoint, Recipe
from trainingrun_api.spec import RunSettings
from trainingrun_api.status import EpochSummary
from trainingrun_trainer.advice import Evidence, advise
from trainingrun_trainer.evaluation import loss_of_guessing_one, score

RECIPE = Recipe(
    learning_rate=4e-4,
    warmup_steps=10,
    total_steps=100,
    batch_size=32,
    gradient_accumulation_steps=1,
    max_gradient_norm=1,
    mixed_precision="no",
    parameters=1,
    trained_parameters=1,
)


def epoch(
    number: int, loss: float, training: float = 0.2, accuracy: float = 0.9, f1: float = 0.9
) -> EpochSummary:
    """An epoch with this evaluation loss."""
    return EpochSummary(
        epoch=number,
        training_loss=training,
        evaluation_loss=loss,
        accuracy=accuracy,
        f1=f1,
        learning_rate=1e-4,
    )


def epochs(losses: Sequence[float], training: Sequence[float] | None = None) -> list[EpochSummary]:
    """Epochs with these losses."""
    given = training or [0.2] * len(losses)
    return [epoch(number, loss, mean) for number, (loss, mean) in enumerate(zip(losses, given, strict=True))]


def points(losses: Sequence[float], norms: Sequence[float] | None = None) -> list[LossPoint]:
    """A training curve."""
    return [
        LossPoint(step=n, epoch=0.1, loss=loss, learning_rate=1e-4, gradient_norm=norm)
        for n, (loss, norm) in enumerate(zip(losses, norms or [2.0] * len(losses), strict=True), start=1)
    ]


FALLING = points([3 / (1 + 0.1 * n) for n in range(60)])


def counts(by_label: Mapping[str, tuple[int, int]], **changes: Any) -> DataCounts:
    """Texts to train and to evaluate on, by label."""
    training, evaluation = (sum(parts[side] for parts in by_label.values()) for side in (0, 1))
    known = {"read": training + evaluation, "empty": 0, "unlabelled": 0, "duplicates": 0, "conflicts": 0}
    return DataCounts.model_validate(
        {**known, "truncated": 0, "training": training, "evaluation": evaluation, "sources": [], **changes}
    ).model_copy(
        update={
            "by_label": [
                LabelParts(label=label, training=one, evaluation=other)
                for label, (one, other) in by_label.items()
            ]
        }
    )


def scores(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> ClassificationScores:
    """Those of predictions with this confusion matrix."""
    cells = [(t, p) for t, row in enumerate(confusion) for p, count in enumerate(row) for _ in range(count)]
    targets, predicted = np.array(cells).T
    return score(targets, predicted, list(labels))


LABELS = ("billing", "delivery", "login")


def evidence(**changes: Any) -> Evidence:
    """Three labels, 60 training texts and 20 evaluation texts each, nearly all right; best is the last epoch
    that has the lowest loss."""
    settings = changes.get("settings", RunSettings())
    well: dict[str, Any] = {
        "curves": Curves(training_loss=FALLING, epochs=epochs([0.5, 0.31, 0.3])),
        "recipe": RECIPE.model_copy(update={"max_epochs": settings.training.max_epochs}),
        "settings": settings,
        "data": counts(dict.fromkeys(LABELS, (60, 20))),
        "scores": scores([[20, 0, 0], [1, 19, 0], [0, 0, 20]], LABELS),
    }
    made = well | changes
    made.setdefault("loss_of_guessing", loss_of_guessing_one(made["data"]))
    best = min(made["curves"].epochs, key=lambda one: one.evaluation_loss).epoch
    return Evidence(**{"best_epoch": best, **made})


def trained(losses: Sequence[float], training: Sequence[float] | None = None, **changes: Any) -> Evidence:
    """Evidence whose epochs have these losses."""
    return evidence(curves=Curves(training_loss=FALLING, epochs=epochs(losses, training)), **changes)


def types(found: Evidence) -> list[str]:
    """What is found."""
    return [finding.type for finding in advise(found)]
