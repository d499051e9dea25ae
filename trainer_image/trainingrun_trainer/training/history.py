"""How training has gone so far: what early stopping and the curves are made of."""

from typing import Self

from trainingrun_api.base import Model
from trainingrun_api.evaluation import Baseline, BaselineMethod, LossPoint
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import EarlyStopping


class History(Model):
    """Epochs and curve so far; a value, `after` gives the next one."""

    method: BaselineMethod = BaselineMethod.BASE_MODEL
    """What epoch 0 is."""
    epochs: list[EpochSummary] = []
    """All epochs, from 0, the model before training."""
    curve: list[LossPoint] = []
    """Training loss by step."""
    reference_loss: float | None = None
    """Evaluation loss that the next epochs have to undercut by minDelta."""
    stale: int = 0
    """Epochs since one did."""

    @property
    def trained(self) -> int:
        """Number of epochs trained; epoch 0 is none."""
        return max(len(self.epochs) - 1, 0)

    @property
    def baseline(self) -> Baseline:
        """The model before training."""
        return Baseline(method=self.method, scores=self.epochs[0])

    @property
    def best(self) -> EpochSummary:
        """The epoch with the lowest evaluation loss, the first on a tie."""
        return min(self.epochs, key=lambda epoch: epoch.evaluation_loss)

    def after(self, epoch: EpochSummary, curve: list[LossPoint], stopping: EarlyStopping) -> Self:
        """The history with one more epoch."""
        loss = epoch.evaluation_loss
        improved = self.reference_loss is None or loss < self.reference_loss - stopping.min_delta
        return self.model_copy(
            update={
                "epochs": [*self.epochs, epoch],
                "curve": [*self.curve, *curve],
                "reference_loss": loss if improved else self.reference_loss,
                "stale": 0 if improved else self.stale + 1,
            }
        )

    def exhausted(self, stopping: EarlyStopping) -> bool:
        """True when patience is at an end."""
        return self.stale >= stopping.patience
