"""Decide what the settings left open."""

import math

from trainingrun_api.evaluation import Recipe
from trainingrun_api.training import Training

from ..errors import SettingsError
from .adversarial_noise import bears_noise
from .layers import depths
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
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        max_gradient_norm=settings.max_gradient_norm,
        adversarial_epsilon=_adversarial_epsilon(objective, settings, total, batches),
        mixed_precision=precision,
        parameters=total,
        trained_parameters=trained,
    )


def batch_size(settings: Training) -> int:
    """Texts in a batch, on each device."""
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
            "spec.training.adversarialEpsilon: this base model has no embeddings of tokens to put noise on; "
            "leave it out, or choose another base model"
        )
    if settings.adversarial_epsilon is not None:
        return settings.adversarial_epsilon
    if not objective.adversarial or settings.freeze_body or not possible:
        return 0.0
    small = parameters < SMALL_MODEL and batches * batch_size(settings) < SMALL_DATA
    return ADVERSARIAL_EPSILON if small else 0.0


def _warmup_steps(settings: Training, steps_per_epoch: int, epochs: int) -> int:
    total = steps_per_epoch * epochs
    if settings.warmup_steps is None:
        return round(total * (WARMUP_RATIO if settings.warmup_ratio is None else settings.warmup_ratio))
    if settings.warmup_steps > total:
        raise SettingsError(
            f"spec.training.warmupSteps is {settings.warmup_steps}, but training takes only {total} steps "
            f"({steps_per_epoch} in each of {epochs} epochs): lower it, or give warmupRatio"
        )
    return settings.warmup_steps
