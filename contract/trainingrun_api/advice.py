"""What training shows and a user can act on."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .base import Model

MAX_FINDINGS = 5
"""In status; evaluation.json has all."""

MAX_SENTENCE = 256
"""Findings travel in the termination message, which has 4,096 bytes."""


class FindingType(StrEnum):
    """What this version finds."""

    DIVERGED = "Diverged"
    """The loss was not finite, which ended training."""
    FINAL_FIT_FAILED = "FinalFitFailed"
    """The fit on all texts came to nothing, and the best epoch before is published."""
    LOSS_JUMP = "LossJump"
    """The training loss rose at one point and stayed there."""
    EVALUATION_LOSS_ROSE = "EvaluationLossRose"
    """Training ended with an evaluation loss far above that of the model before training."""
    ONE_LABEL = "OneLabel"
    """The model gives all evaluation texts one label."""
    GROWING_GRADIENTS = "GrowingGradients"
    """Gradients grew far beyond maxGradientNorm."""
    NUMERIC_LABELS = "NumericLabels"
    """Labels are many numbers, which are likely amounts."""
    SIMILAR_NAMES = "SimilarNames"
    """Names of labels differ in case, punctuation or form alone."""
    UNDERFITTING = "Underfitting"
    """The training loss stayed near that of guessing."""
    TOO_FEW_EPOCHS = "TooFewEpochs"
    """The last epoch was the best, and the evaluation loss still fell."""
    REJECTED_ROWS = "RejectedRows"
    """Rows that an annotation tool marked as rejected are trained on."""
    MISLABELLED_TEXTS = "MislabelledTexts"
    """Labels that are likely wrong."""
    MISSING_CONTEXT = "MissingContext"
    """A field that isn't read tells two labels apart that the model confuses."""
    TELLTALE_CONTEXT = "TelltaleContext"
    """A context parameter alone gives the labels away."""
    CONFUSED_LABELS = "ConfusedLabels"
    """Two labels are taken for each other."""
    IMBALANCE = "Imbalance"
    """Rare labels are found far less often than the others."""
    TOO_FEW_TEXTS = "TooFewTexts"
    """Labels have too few texts to learn from."""
    CONFLICTING_DUPLICATES = "ConflictingDuplicates"
    """The same text, or nearly, has different labels."""
    OVERFITTING = "Overfitting"
    """The evaluation loss rose while the training loss fell."""
    BETTER_EPOCH = "BetterEpoch"
    """Another epoch has a higher score than the one that is published."""
    NOTHING_GAINED = "NothingGained"
    """No epoch was better than the model before training."""
    LEAKED_TEXTS = "LeakedTexts"
    """Texts of evaluationDataset were in the training data too."""
    SEEN_TEXTS = "SeenTexts"
    """The run that made the base model was trained on texts of this evaluation split."""
    SMALL_EVALUATION_SPLIT = "SmallEvaluationSplit"
    """Too few evaluation texts to compare runs by."""
    STARVED_DEVICES = "StarvedDevices"
    """Batches leave each device few texts, so that it waits more than it works."""


class Severity(StrEnum):
    """How much it matters."""

    INFO = "Info"
    """Good to know."""
    WARNING = "Warning"
    """The model is worse for it."""


class Finding(Model):
    """A finding, with its evidence and a suggestion."""

    type: Annotated[str, Field(max_length=64, pattern="^[A-Z][A-Za-z]*$")]
    """One CamelCase word for programs, such as LossJump; newer trainers may have more of them."""
    severity: Severity
    """Info: good to know. Warning: the model is worse for it."""
    message: Annotated[str, Field(max_length=MAX_SENTENCE)]
    """What was found, for people."""
    evidence: dict[str, float] = {}
    """The numbers that show it."""
    suggestion: Annotated[str, Field(max_length=MAX_SENTENCE)]
    """What to change in the next run."""
