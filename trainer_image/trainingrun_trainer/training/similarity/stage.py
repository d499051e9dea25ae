"""The stage before classification: texts of one label come near each other, so that a head needs fewer."""

import math
from collections.abc import Iterator

from trainingrun_api.training import Training

from ...model import PooledClassifier
from ...records import EncodedTexts
from ..fit import StepDone, train_epoch
from ..recipe import batch_size
from ..trainee import prepare
from .contrast import LabelContrast

PASSES = 20
"""Times that few texts are drawn: with 8 texts in each of 150 classes of CLINC150 these are 375 steps."""

MIN_STEPS, MAX_STEPS = 50, 500
"""Fewer steps move little; more would cost as much as the fine-tuning that follows them."""


def stage_steps(texts: int, batch_size: int) -> int:
    """Steps that draw all texts PASSES times, `batch_size` pairs a step, within MIN_STEPS and MAX_STEPS."""
    return min(max(math.ceil(PASSES * texts / (2 * batch_size)), MIN_STEPS), MAX_STEPS)


def similarity_stage(
    classifier: PooledClassifier, texts: EncodedTexts, settings: Training, steps: int | None = None
) -> Iterator[StepDone]:
    """Train the body of `classifier` on the labels of `texts`, yielding each step; its head stays as it is.

    `settings` gives learning rate, decay, pairs in a step (batch_size), precision and seed; `steps` is
    `stage_steps` when left out. Raises SettingsError when the loss is no number any more.
    """
    steps = steps or stage_steps(len(texts.targets), batch_size(settings))
    objective = LabelContrast(classifier, texts, texts, steps)
    once = settings.model_copy(
        update={"max_epochs": 1, "warmup_steps": None, "gradient_accumulation_steps": 1}
    )
    trainee = prepare(objective, once)
    yield from train_epoch(trainee, epoch=1)
    trainee.merge_adapters()
