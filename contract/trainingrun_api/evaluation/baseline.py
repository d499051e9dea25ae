"""What the model was worth before training."""

from enum import StrEnum

from ..base import Model
from ..status import EpochSummary


class BaselineMethod(StrEnum):
    """How the model that training starts from came by its head."""

    LOGISTIC_REGRESSION = "LogisticRegression"
    """A new head, set to logistic regression on the embeddings of the frozen body."""
    BASE_MODEL = "BaseModel"
    """As it was loaded: the head of an earlier run with the same labels, or one that knows nothing yet."""


class Baseline(Model):
    """The cheap alternative that training has to beat; it is published when training does not."""

    method: BaselineMethod
    """LogisticRegression on the frozen body's embeddings, or BaseModel: as it was loaded."""
    scores: EpochSummary
    """Its scores on the evaluation split: epoch 0, unless a similarity stage made that better."""
