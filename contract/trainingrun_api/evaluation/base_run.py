"""The run that a run went on from, beside it."""

from ..base import Model
from ..status import EpochSummary, EvaluationScores


class ScoreChange(Model):
    """What training added to a model's scores, each after minus before."""

    loss: float
    """Evaluation loss, in nats per text: less than 0 is better."""
    accuracy: float | None = None
    """Accuracy, -1 to 1."""
    f1: float | None = None
    """Macro F1, -1 to 1."""
    average_precision: float | None = None
    """TextSimilarity on labelled texts: average precision, -1 to 1."""
    spearman: float | None = None
    """TextSimilarity on scored pairs: rank correlation, -2 to 2."""


class BaseRun(Model):
    """The earlier run whose model training started from."""

    name: str
    """Name of the TrainingRun."""
    model_name: str
    """Name of the model it made."""
    own_scores: EvaluationScores
    """Its model's scores on its own evaluation split, as its evaluation.json has them."""
    final_fit: bool = False
    """True where the model was fitted anew after these scores, and so has learned all texts of that run."""
    scores: EpochSummary | None = None
    """Its model's scores on the evaluation split of this run, before training; null where task or labels
    differ. Texts that it was trained on may be among these."""
    difference: ScoreChange | None = None
    """This run's best epoch minus those."""
