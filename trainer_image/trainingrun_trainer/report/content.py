"""What the page is made of."""

from dataclasses import dataclass

import pyarrow as pa

from trainingrun_api.evaluation import Evaluation

from ..records import RunRecord


@dataclass(frozen=True)
class Report:
    """One run, after its end or so far."""

    evaluation: Evaluation
    """Scores, curves, counts."""
    record: RunRecord
    """Settings and versions."""
    predictions: pa.Table | None = None
    """What `predictions_table` gives; None for a task that gives no labels."""
    finished: bool = True
    """False while training goes on: the page then says so."""
