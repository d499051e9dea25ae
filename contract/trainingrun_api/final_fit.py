"""What the final fit came to."""

from typing import Annotated

from pydantic import Field

from .base import Model


class FinalFit(Model):
    """The model was fitted anew on all labelled texts, those of the evaluation split too.

    All scores are those of the model before: the best epoch's, which did not see the evaluation split.
    """

    texts: Annotated[int, Field(ge=0)]
    """Texts it learned: the training and the evaluation split."""
    epochs: Annotated[int, Field(ge=0)]
    """Epochs it was trained for, as many as the best one had; 0: the start of a new head alone."""
    loss: float | None = None
    """Mean loss on the evaluation split, in nats per text: no score, since it has learned these texts. Null
    where it was not finite."""
    kept: bool
    """True: it is published. False: it failed, as its loss shows, and the best epoch is published."""

    @property
    def course(self) -> str:
        """How the model was fitted anew, in words."""
        number = {0: "by the start of a new head alone", 1: "for 1 epoch"}.get(
            self.epochs, f"for {self.epochs} epochs"
        )
        return f"{number} on all {self.texts:,} texts"


def fitted_anew(final_fit: FinalFit | None) -> FinalFit | None:
    """The final fit, where it is published; None where the model that has the scores is."""
    return final_fit if final_fit is not None and final_fit.kept else None
