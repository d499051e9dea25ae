"""The run that a run went on from, beside it."""

from ..base import Model
from ..metrics import Scores
from ..status import EpochSummary, EvaluationScores


class ScoreChange(Scores):
    """What training added to a model's scores: each field is the score after minus the one before."""

    loss: float
    """Evaluation loss, in nats per text: less than 0 is better."""


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
