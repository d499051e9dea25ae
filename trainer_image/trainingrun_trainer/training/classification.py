"""Labels for texts: one each by softmax, or any number of them by a sigmoid each."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from trainingrun_api.evaluation import BaselineMethod
from trainingrun_api.metrics import DataKind, Scores, stopping_metrics
from trainingrun_api.training import ClassWeights, SimilarityStage, Training

from ..distributed import at_first, take_weights
from ..evaluation import FoundIssues, Indices, LabelPredictions, MultiLabelPredictions, Predictions, macro_f1
from ..model import Classifier
from ..records import EncodedTexts, Targets
from .batches import Batch, BatchLoader, evaluation_batches, some_training_batches, training_batches
from .contrast import few_texts, stage_of
from .objective import HeadStart, Objective, Outcome
from .passes import finite, gathered, infer
from .probe import (
    MAX_TEXTS,
    Probed,
    Regression,
    embed,
    one_against_rest,
    softmax_regression,
    start_at,
    training_label_issues,
)
from .recipe import batch_size


class ClassWeighting(NamedTuple):
    """How much a text counts in the loss; the mean over the texts of the training split is 1."""

    present: Tensor
    """Of having each label, (labels,)."""
    absent: Tensor
    """Of not having it, (labels,); of use where a text may have several."""

    def on(self, device: torch.device) -> "ClassWeighting":
        """The same on the device, where it stays what it is if it is there."""
        return ClassWeighting(self.present.to(device), self.absent.to(device))

    def of_decisions(self, targets: Tensor) -> Tensor:
        """Of targets that are 0 or 1, (texts, labels)."""
        return torch.where(targets > 0, self.present, self.absent)


def label_weights(targets: Targets, labels: int) -> ClassWeighting:
    """Texts / (labels x texts of the label), of targets (texts,) that are label indices."""
    counts = np.bincount(targets, minlength=labels)
    return ClassWeighting(_weights(len(targets), labels, counts), torch.ones(labels))


def decision_weights(targets: Targets, labels: int) -> ClassWeighting:
    """Texts / (2 x texts with the label, or without it), of targets (texts, labels) that are 0 or 1."""
    texts, having = len(targets), targets.sum(axis=0)
    return ClassWeighting(_weights(texts, 2, having), _weights(texts, 2, texts - having))


def _weights(texts: int, classes: int, counts: Targets) -> Tensor:
    return torch.from_numpy(texts / (classes * np.maximum(counts, 1))).float()


class Classification(Objective):
    """A classifier and the texts it learns from; what its targets are is for the two kinds to say."""

    metrics: ClassVar = stopping_metrics(DataKind.CLASSES)

    adversarial: ClassVar = True

    least_steps: ClassVar = 180
    """Fine-tuning on few texts takes steps, however often it sees each (Mosbach et al., ICLR 2021,
    arXiv:2006.04884). In 5 epochs 328 to 600 texts make 45 to 75 steps (benchmarks/RESULTS-quality.md)."""

    regression: ClassVar[Regression]
    """What a new head starts from."""

    weighting: ClassVar[Callable[[Targets, int], ClassWeighting]]
    """What makes labels count the same, whatever their counts."""

    def __init__(
        self,
        classifier: Classifier,
        training: EncodedTexts,
        evaluation: EncodedTexts,
        settings: Training,
    ) -> None:
        balanced = settings.class_weights is ClassWeights.BALANCED
        weighting = type(self).weighting
        self._weights = weighting(training.targets, len(classifier.labels)) if balanced else None
        self._smoothing = settings.label_smoothing
        self.network = classifier.network
        self._classifier = classifier
        self._training = training
        self._evaluation = evaluation

    def head_parameters(self) -> Iterator[nn.Parameter]:
        return self._classifier.head_parameters()

    def training_batches(self, batch_size: int, seed: int) -> BatchLoader:
        return training_batches(self._classifier, self._training, batch_size, seed)

    def head_batches(self, batch_size: int, seed: int) -> BatchLoader:
        """Of some of the training split: a start needs no more."""
        return some_training_batches(self._classifier, self._training, batch_size, seed, MAX_TEXTS)

    def evaluation_batches(self, batch_size: int) -> BatchLoader:
        return evaluation_batches(self._classifier, self._evaluation, batch_size)

    def start_head(self, batches: Iterable[Batch]) -> HeadStart:
        """Logistic regression on what the output layer reads of each text; one that has no bias, as decoders
        have, or that reads tokens, as EuroBERT's, starts as it was loaded.
        """
        layer = self._classifier.output_layer
        if not self._classifier.head_is_new or layer is None or layer.bias is None:
            return HeadStart()
        embedded = embed(self._classifier, batches)
        if embedded is None:
            return HeadStart()
        start = at_first(lambda: self._start_at(Probed.of(*embedded)))
        take_weights(layer)
        return start or HeadStart()

    def _start_at(self, probed: Probed) -> HeadStart:
        balanced = self._weights is not None
        found = start_at(self._classifier, probed, type(self).regression, balanced=balanced)
        method = BaselineMethod.LOGISTIC_REGRESSION if found else BaselineMethod.BASE_MODEL
        # What else a body gives says too little of single texts to issue their labels.
        return HeadStart(method, probed if self._classifier.pooled else None)

    def loss(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of the labels, weighted and smoothed as set, in nats per text."""
        logits = self._classifier.logits(batch.columns[0]).float()
        if self._weights is not None:  # once: a copy to the device is waited for
            self._weights = self._weights.on(logits.device)
        return self.loss_of(logits, batch.targets, self._weights, self._smoothing) * batch.share

    def evaluate(self, batches: Iterable[Batch]) -> Outcome[LabelPredictions] | None:
        """Predictions in the order of the evaluation texts."""
        self.network.eval()
        _, logits = gathered(infer(self.network, batches, self._rows_and_logits))
        return at_first(lambda: self._outcome(logits))

    def _rows_and_logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return batch.rows, self._classifier.logits(batch.columns[0]).float()

    def _outcome(self, logits: Tensor) -> Outcome[LabelPredictions]:
        targets = self._evaluation.targets.astype(np.int64)
        loss = finite(float(self.loss_of(logits, torch.from_numpy(targets))), "the evaluation loss")
        return self.outcome(targets, logits.numpy(), loss)

    @abstractmethod
    def loss_of(
        self, logits: Tensor, targets: Tensor, weights: ClassWeighting | None = None, smoothing: float = 0.0
    ) -> Tensor:
        """Mean over texts of their labels' negative log-likelihood, in nats; logits are (texts, labels).

        `smoothing` is the share of each text's certainty that all labels have alike.
        """

    @abstractmethod
    def outcome(
        self, targets: Indices, logits: NDArray[np.float32], loss: float
    ) -> Outcome[LabelPredictions]:
        """Scores of one pass, both in the order of the evaluation texts."""


class SingleLabelClassification(Classification):
    """One label for each text: softmax, cross-entropy; targets are label indices, (texts,)."""

    regression = softmax_regression
    weighting = label_weights

    @property
    def few_texts(self) -> bool:
        """Fewer than 16 a label, on average."""
        return few_texts(self._training)

    def stage(self, settings: Training) -> Objective | None:
        """Texts of one label come near each other, where the settings say so."""
        classifier = self._classifier
        wanted = settings.similarity_stage is SimilarityStage.ALWAYS or (
            settings.similarity_stage is SimilarityStage.AUTO
            and classifier.embedder is not None
            and classifier.head_is_new
            and self.few_texts
            and not settings.freeze_body
        )
        return stage_of(classifier.embedder, self._training, batch_size(settings)) if wanted else None

    def label_issues(self, probed: Probed) -> FoundIssues | None:
        """Those of texts that stand out from the others of their label."""
        return training_label_issues(probed)

    def forget_head(self) -> None:
        """It is made for what the body was before."""
        self._classifier.head_is_new = True

    def loss_of(
        self, logits: Tensor, targets: Tensor, weights: ClassWeighting | None = None, smoothing: float = 0.0
    ) -> Tensor:
        if weights is None:
            return cross_entropy(logits, targets, label_smoothing=smoothing)
        # Not torch's weighted mean, which would count a batch of rare labels for more than their weight.
        loss = cross_entropy(logits, targets, weights.present, reduction="sum", label_smoothing=smoothing)
        return loss / len(targets)

    def outcome(
        self, targets: Indices, logits: NDArray[np.float32], loss: float
    ) -> Outcome[LabelPredictions]:
        """Accuracy and macro F1 of the most probable label."""
        predictions = Predictions(targets, logits, loss)
        return _outcome(predictions)


class MultiLabelClassification(Classification):
    """Any number of labels for each text: a sigmoid each; targets are 0 and 1, (texts, labels)."""

    regression = one_against_rest
    weighting = decision_weights

    def loss_of(
        self, logits: Tensor, targets: Tensor, weights: ClassWeighting | None = None, smoothing: float = 0.0
    ) -> Tensor:
        """Binary cross-entropy summed over labels: the likelihood of the text's set of labels."""
        weight = weights.of_decisions(targets) if weights else None
        wanted = targets.float() * (1 - smoothing) + smoothing / 2
        return binary_cross_entropy_with_logits(logits, wanted, weight, reduction="sum") / len(targets)

    def outcome(
        self, targets: Indices, logits: NDArray[np.float32], loss: float
    ) -> Outcome[LabelPredictions]:
        """Exact matches and macro F1 at the threshold that is best now."""
        predictions = MultiLabelPredictions(targets, logits, loss)
        return _outcome(predictions)


def _outcome(predictions: LabelPredictions) -> Outcome[LabelPredictions]:
    targets, predicted = predictions.targets, predictions.predicted
    return Outcome(
        loss=predictions.loss,
        loss_error=float(np.std(predictions.losses) / np.sqrt(len(targets))),
        scores=Scores(accuracy=float(accuracy_score(targets, predicted)), f1=macro_f1(targets, predicted)),
        output=predictions,
    )
