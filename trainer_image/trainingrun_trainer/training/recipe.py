"""Decide what the settings left open."""

import math
import timeit
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import linear

from trainingrun_api.evaluation import Recipe
from trainingrun_api.training import MixedPrecision, Training

from ..distributed import size
from ..errors import SettingsError
from .adversarial_noise import bears_noise
from .body import depths
from .objective import Objective
from .optimizer import default_learning_rate

AUTOMATIC_BATCH_SIZE = 32
"""Texts in a batch when the settings say nothing; it is taken in parts where memory is short."""

ADVERSARIAL_EPSILON = 0.15
"""Length of the noise, as a share of that of the token embeddings.

Without it, accuracy on CLINC150 was 95.8 instead of 96.2% (benchmarks/RESULTS-quality.md), and with 8 texts
in each of 150 classes 92.5 instead of 93.1% (at 1e-4 after the stage; three draws each, all-MiniLM-L6-v2).
It was chosen on texts of the training file that were held back by groups of like texts: twice as much
brought no more; in the similarity stage noise lowered the loss, but raised no accuracy (one draw).
"""

SMALL_MODEL, SMALL_DATA = 50_000_000, 100_000
"""Parameters and texts from which on noise is only for those who ask for it: it takes twice the time, which
is long then, and what it brings there was not measured."""

EMBEDDINGS_FACTOR = 0.1
"""Rate of the token embeddings where a similarity stage comes first, as a share of that of the last layer.

The stage moves a body far. With 40 texts in each of 150 classes of CLINC150 that costs more of what it knew
than it brings, unless layers near the input learn slower: accuracy was 96.1% without, and 96.3% with it. With
8 texts it was 93.1 and 92.8% (benchmarks/RESULTS-quality.md).
"""

EPOCHS, MOST_EPOCHS = 5, 20
"""When the settings name no maxEpochs: that many, and at most so many to reach an objective's least steps."""

PATIENCE = 3
"""Epochs, when the settings say nothing. Not where few texts make more epochs than EPOCHS: of the example
tickets, the first three at the full rate are worse than the model before training, the last far better."""

WARMUP_RATIO = 0.1
"""Of all steps, when the settings name no warm-up."""

STAGE_FACTOR = 0.5
"""Learning rate of the similarity stage, as a share of that of the fine-tuning after it.

With this rate for both, the evaluation loss of 8 texts in each of 150 classes of CLINC150 was 0.32 to 0.36
instead of 0.27 to 0.31, and accuracy the same (three draws, all-MiniLM-L6-v2).
"""


CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
"""Names in /proc/cpuinfo of x86's instructions for bfloat16. Without them it is computed in software."""

LEAST_GAIN = 2.0
"""How many times as fast as in float32 a layer has to be in bfloat16, since training with autocast also
converts and normalises, and gains less. Of two processors with avx512_bf16 alone, one took half as much again
time a text in bfloat16; the other, an AMD EPYC of family 26, had a layer 4 to 8 times as fast and trained 2.6
times as fast (all-MiniLM-L6-v2 on support tickets, one thread)."""


FULL_PRECISION_ONLY = frozenset({"deberta", "xmod"})
"""Architectures that transformers computes in one format only: DeBERTa masks attention in bfloat16 by the
least number of float32, X-MOD puts what adapters give in bfloat16 into a tensor in float32."""


def decide(
    objective: Objective, settings: Training, batches: int, precision: str, *, after_stage: bool = False
) -> Recipe:
    """The recipe for an epoch of so many `batches`; what is trained is what of `objective` is not frozen.

    Raises SettingsError when nothing is left to train, the warm-up is longer than training, or noise is asked
    for that the network doesn't bear.
    """
    parameters = list(objective.network.parameters())
    total = sum(parameter.numel() for parameter in parameters)
    trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    if not trained:
        raise SettingsError("spec.training.freezeBody leaves nothing to train: there is no head")
    steps = math.ceil(batches / settings.gradient_accumulation_steps)
    epochs = settings.max_epochs or _epochs(objective, steps)
    default_rate = default_learning_rate(total, lora=settings.lora is not None)
    return Recipe(
        learning_rate=settings.learning_rate or default_rate,
        layer_decay=_layer_decay(objective, settings, after_stage=after_stage),
        warmup_steps=_warmup_steps(settings, steps, epochs),
        max_epochs=epochs,
        patience=_patience(settings, epochs),
        total_steps=steps * epochs,
        batch_size=batch_size(settings),
        processes=size(),
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        max_gradient_norm=settings.max_gradient_norm,
        adversarial_epsilon=_adversarial_epsilon(objective, settings, total, batches),
        mixed_precision=precision,
        parameters=total,
        trained_parameters=trained,
    )


def stage_recipe(recipe: Recipe, settings: Training, batches: int) -> Recipe:
    """The recipe for the similarity stage, one epoch of so many `batches`, before fine-tuning by `recipe`."""
    changes = {
        "learning_rate": recipe.learning_rate * STAGE_FACTOR,
        "warmup_steps": round(batches * _warmup_ratio(settings)),
        "max_epochs": 1,
        "total_steps": batches,
        "gradient_accumulation_steps": 1,
        "adversarial_epsilon": settings.adversarial_epsilon or 0.0,
    }
    return recipe.model_copy(update=changes)


def batch_size(settings: Training) -> int:
    """Texts in a batch, which all processes share."""
    return settings.batch_size or AUTOMATIC_BATCH_SIZE


def _epochs(objective: Objective, steps: int) -> int:
    return min(max(EPOCHS, math.ceil(objective.least_steps / steps)), MOST_EPOCHS)


def _patience(settings: Training, epochs: int) -> int:
    more = settings.max_epochs is None and epochs > EPOCHS
    return settings.early_stopping.patience or (epochs if more else PATIENCE)


def _layer_decay(objective: Objective, settings: Training, *, after_stage: bool) -> float:
    if settings.layer_decay is not None:
        return settings.layer_decay
    if not after_stage or objective.few_texts or settings.lora is not None:
        return 1.0
    layers = max(depths(objective.network).values())
    return round(EMBEDDINGS_FACTOR ** (1 / layers), 2) if layers else 1.0


def _adversarial_epsilon(objective: Objective, settings: Training, parameters: int, batches: int) -> float:
    possible = bears_noise(objective.network)
    if settings.adversarial_epsilon and not possible:
        raise SettingsError(
            "spec.training.adversarialEpsilon: this base model has no token embeddings to add noise to; "
            "leave it out, or choose another base model"
        )
    if settings.adversarial_epsilon is not None:
        return settings.adversarial_epsilon
    if not objective.adversarial or settings.freeze_body or not possible:
        return 0.0
    small = parameters < SMALL_MODEL and batches * batch_size(settings) < SMALL_DATA
    return ADVERSARIAL_EPSILON if small else 0.0


def _warmup_ratio(settings: Training) -> float:
    return WARMUP_RATIO if settings.warmup_ratio is None else settings.warmup_ratio


def _warmup_steps(settings: Training, steps_per_epoch: int, epochs: int) -> int:
    total = steps_per_epoch * epochs
    if settings.warmup_steps is None:
        return round(total * _warmup_ratio(settings))
    if settings.warmup_steps > total:
        raise SettingsError(
            f"spec.training.warmupSteps is {settings.warmup_steps}, but training takes only {total} steps "
            f"({steps_per_epoch} in each of {epochs} epochs): lower it, or give warmupRatio"
        )
    return settings.warmup_steps


def choose_precision(wanted: MixedPrecision, architecture: str) -> Literal["bf16", "no"]:
    """The format for Accelerate: Auto takes bf16 only where the hardware is faster with it.

    Raises SettingsError for bf16 and an architecture that can't be computed in it.
    """
    if architecture in FULL_PRECISION_ONLY:
        if wanted is MixedPrecision.BF16:
            raise SettingsError(
                f"spec.training.mixedPrecision is BF16, which {architecture} doesn't support: set FP32"
            )
        return "no"
    if wanted is MixedPrecision.AUTO:
        return "bf16" if _fast_bf16() else "no"
    return "bf16" if wanted is MixedPrecision.BF16 else "no"


@cache
def _fast_bf16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return not CPU_FLAGS.isdisjoint(_cpu_words()) and _gain() >= LEAST_GAIN


def _cpu_words() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return []


def _gain() -> float:
    """How many times as fast a layer of a small transformer is in bfloat16, measured in less than a second.

    The shortest of several times each, taken in turn, so that other work on the machine doesn't decide.
    Draws no random numbers, which the seed is for.
    """
    layers = [
        (torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    ]
    with torch.no_grad():
        rounds = [[timeit.timeit(partial(linear, *layer), number=2) for layer in layers] for _ in range(10)]
    full, half = np.min(rounds, axis=0)
    return float(full / half)
