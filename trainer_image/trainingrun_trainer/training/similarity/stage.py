"""The stage before classification: texts of one label come near each other, so that a head needs fewer."""

import math

import numpy as np

from trainingrun_api.training import SimilarityStage, Training

from ...errors import SettingsError
from ...model import Classifier, PooledClassifier
from ...records import EncodedTexts
from ..recipe import batch_size
from .contrast import LabelContrast

PASSES = 10
"""Times that few texts are drawn: with 8 texts in each of 150 classes of CLINC150 these are 188 steps. There,
200 steps at 1e-4 took logistic regression from 90.8% to 93.3%, and fine-tuning from there came to 94.0%;
without them to 93.1%, or 93.8% at 2e-4 (one seed, on texts of the training file that were not drawn)."""

MIN_STEPS, MAX_STEPS = 50, 500
"""Fewer steps move little; more would cost as much as the fine-tuning that follows them."""

FEW_TEXTS = 16
"""Texts a label, on average, from which Auto leaves the stage out: it takes as long as a few epochs. Beside
noise it gains 0.7 points with 3, nothing with 8 and 0.2 with 40 (benchmarks/RESULTS-quality.md); with 8 and
without noise it gained something (see PASSES)."""


def stage_before(classifier: Classifier, texts: EncodedTexts, settings: Training) -> LabelContrast | None:
    """The stage for `texts`, the training split, as `settings` ask for it; None when they don't.

    Raises SettingsError when they ask for what the model can't do.
    """
    if not isinstance(classifier, PooledClassifier):
        if settings.similarity_stage is SimilarityStage.ALWAYS:
            raise SettingsError(
                "spec.training.similarityStage is Always, but this base model has no pooling of "
                "sentence-transformers: choose another base model, or set Auto or Never"
            )
        return None
    if not _wanted(classifier, texts, settings):
        return None
    return LabelContrast(classifier, texts, texts, stage_steps(len(texts.targets), batch_size(settings)))


def stage_steps(texts: int, batch_size: int) -> int:
    """Steps that draw all texts PASSES times, `batch_size` pairs a step, within MIN_STEPS and MAX_STEPS."""
    return min(max(math.ceil(PASSES * texts / (2 * batch_size)), MIN_STEPS), MAX_STEPS)


def few_texts(texts: EncodedTexts) -> bool:
    """Whether these have fewer than FEW_TEXTS a label, on average; targets are label indices."""
    return len(texts.targets) < FEW_TEXTS * len(np.unique(texts.targets))


def _wanted(classifier: PooledClassifier, texts: EncodedTexts, settings: Training) -> bool:
    if settings.similarity_stage is not SimilarityStage.AUTO:
        return settings.similarity_stage is SimilarityStage.ALWAYS
    return few_texts(texts) and classifier.head_is_new and not settings.freeze_body
