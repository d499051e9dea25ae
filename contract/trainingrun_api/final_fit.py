"""Outcome of the final fit."""

from typing import Annotated

from pydantic import Field

from .base import Model


class FinalFit(Model):
    """The model was fitted again on all labelled texts, including the evaluation split.

    All scores are those of the best epoch, whose model hasn't seen the evaluation split.
    """

    texts: Annotated[int, Field(ge=0)]
    """Texts it was trained on: the training and the evaluation split."""
    epochs: Annotated[int, Field(ge=0)]
    """Epochs it was trained for: the number of the best epoch. 0: only a new head was initialized."""
    loss: float | None = None
    """Mean loss on the evaluation split, in nats per text; not a score, since the model has learned these
    texts. Null if it was not finite."""
    kept: bool
    """True: this model is published. False: the fit failed, as its loss shows, and the best epoch is
    published."""

    @property
    def course(self) -> str:
        """How the model was fitted, in words."""
        number = {0: "by initializing only a new head", 1: "for 1 epoch"}.get(
            self.epochs, f"for {self.epochs} epochs"
        )
        return f"{number} on all {self.texts:,} texts"


def fitted_anew(final_fit: FinalFit | None) -> FinalFit | None:
    """The final fit, where it is published; None where the model that has the scores is."""
    return final_fit if final_fit is not None and final_fit.kept else None
