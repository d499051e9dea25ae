"""One label for each text: softmax over the labels, cross-entropy."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from trainingrun_api.evaluation import BaselineMethod

from ..evaluation import Predictions, macro_f1
from ..model import Classifier, PooledClassifier
from ..records import EncodedTexts
from .batches import Batch, BatchLoader, evaluation_batches, evaluation_order, training_batches
from .objective import Objective, Outcome
from .probe import probe


class SingleLabelClassification(Objective):
    """A classifier and the texts it learns from. The loss is cross-entropy, in nats per text."""

    def __init__(self, classifier: Classifier, training: EncodedTexts, evaluation: EncodedTexts) -> None:
        self.network = classifier.network
        self._classifier = classifier
        self._training = training
        self._evaluation = evaluation

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """The classifier's."""
        return self._classifier.head_parameters()

    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """Batches of texts of like length."""
        return training_batches(self._classifier, self._training, batch_size, seed)

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        """Batches in `evaluation_order`."""
        return evaluation_batches(self._classifier, self._evaluation, batch_size)

    def start_head(self, batches: Iterable[Batch]) -> BaselineMethod:
        """Logistic regression on the embeddings of a pooled model; other models start as they were loaded."""
        if not isinstance(self._classifier, PooledClassifier) or not self._classifier.head_is_new:
            return BaselineMethod.BASE_MODEL
        found = probe(self._classifier, batches)
        return BaselineMethod.LOGISTIC_REGRESSION if found else BaselineMethod.BASE_MODEL

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy, in nats per text."""
        return cross_entropy(self._classifier.logits(batch.columns[0]).float(), batch.targets)

    def evaluate(self, batches: Iterable[Batch]) -> Outcome:
        """Predictions in the order of the evaluation texts."""
        self.network.eval()
        with torch.no_grad():
            parts = [(batch.targets, self._classifier.logits(batch.columns[0]).float()) for batch in batches]
        targets = torch.cat([targets for targets, _ in parts])
        logits = torch.cat([logits for _, logits in parts])
        loss = float(cross_entropy(logits, targets))
        back = np.argsort(evaluation_order(self._evaluation))
        predictions = Predictions(targets.cpu().numpy()[back], logits.cpu().numpy()[back], loss)
        return Outcome(
            loss=loss,
            accuracy=float((predictions.predicted == predictions.targets).mean()),
            f1=macro_f1(predictions.targets, predictions.predicted, len(self._classifier.labels)),
            predictions=predictions,
        )
