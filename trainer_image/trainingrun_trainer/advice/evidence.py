"""What findings are made from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun_api.evaluation import (
    ClassificationScores,
    Curves,
    DataCounts,
    Evaluation,
    LabelIssues,
    Recipe,
)
from trainingrun_api.final_fit import FinalFit, fitted_anew
from trainingrun_api.spec import RunSettings

from ..data import FieldValues


@dataclass(frozen=True)
class Evidence:
    """What a run has left behind."""

    curves: Curves
    recipe: Recipe
    settings: RunSettings
    data: DataCounts
    best_epoch: int
    """The epoch that these scores are of; 0 is the model before training."""
    scores: ClassificationScores | None = None
    """Those of a classifier; None for an embedding model."""
    loss_of_guessing: float = math.inf
    """Loss of giving labels by how frequent they are, in nats per text; infinite where none are given."""
    finished: bool = True
    """False while training goes on: what it has not done yet is no fault of it."""
    label_issues: LabelIssues | None = None
    """Labels that are likely wrong."""
    fields: Sequence[FieldValues] = ()
    """What the rows of the data set hold beside text and label."""
    earlier: Evaluation | None = None
    """The evaluation of the run that made the base model."""
    final_fit: FinalFit | None = None
    """What the fit on all texts came to; None without one."""

    @property
    def chosen(self) -> str:
        """What became of the best epoch, in words."""
        taken = fitted_anew(self.final_fit) is not None
        return f"epoch {self.best_epoch} {'was chosen for the final fit' if taken else 'is published'}"
