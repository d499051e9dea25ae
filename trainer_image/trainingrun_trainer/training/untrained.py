"""A classifier as it was before training, so that it can be trained anew."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from safetensors.torch import load_model, save_model

from ..model import Classifier
from .objective import Objective


@dataclass(frozen=True)
class Untrained:
    """Its weights are kept in a file, which takes no memory beside training."""

    classifier: Classifier
    weights: Path
    head_is_new: bool

    @classmethod
    def of(cls, classifier: Classifier, weights: Path) -> Self:
        """What it is now; its weights are written to a new file."""
        save_model(classifier.network, str(weights))
        return cls(classifier, weights, classifier.head_is_new)

    def restore(self) -> None:
        """Have it be that again, on the device that it is on."""
        network = self.classifier.network
        load_model(network, self.weights, device=str(next(network.parameters()).device))
        self.classifier.head_is_new = self.head_is_new


@dataclass(frozen=True)
class Anew:
    """What the final fit starts from, and what it learns."""

    untrained: Untrained
    objective: Callable[[], Objective]
    """All texts to train on, and the evaluation split."""
    texts: int
    """How many are trained on."""
