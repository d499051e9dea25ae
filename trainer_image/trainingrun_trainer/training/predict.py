"""One pass over texts: loss and scores, always in float32."""

from collections.abc import Iterable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ..evaluation import Predictions
from ..model import Classifier
from ..records import EncodedTexts
from .batches import TARGETS, Batch, evaluation_order


def predict(classifier: Classifier, loader: Iterable[Batch], texts: EncodedTexts) -> Predictions:
    """Predictions in the order of `texts`; `loader` gives its batches in `evaluation_order`.

    Without autocast, so that whoever loads the published model gets the same numbers.
    """
    classifier.network.eval()
    with torch.no_grad():
        parts = [(batch.pop(TARGETS), classifier.logits(batch).float()) for batch in loader]
    targets = torch.cat([targets for targets, _ in parts])
    logits = torch.cat([logits for _, logits in parts])
    loss = float(cross_entropy(logits, targets))
    back = np.argsort(evaluation_order(texts))
    return Predictions(targets.cpu().numpy()[back], logits.cpu().numpy()[back], loss)
