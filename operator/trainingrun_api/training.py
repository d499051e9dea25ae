"""How a model is fine-tuned."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .base import Model


class MixedPrecision(StrEnum):
    """Number format of the forward and backward pass; weights stay float32."""

    AUTO = "Auto"
    BF16 = "BF16"
    NO = "No"


class EarlyStopping(Model):
    """Stop when the evaluation loss no longer falls; the best epoch is published either way."""

    patience: Annotated[int, Field(ge=1, le=100)] = 3
    """Epochs without improvement before training stops."""

    min_delta: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Smallest fall of the evaluation loss, in nats per text, that counts as improvement."""


class Checkpoint(Model):
    """Checkpoints that an interrupted run goes on from."""

    every_epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Epochs between two checkpoints; the last epoch always has one."""

    keep: Annotated[int, Field(ge=1, le=100)] = 2
    """Latest checkpoints kept in the object store; the best epoch's weights are kept besides."""


class Training(Model):
    """How the model is fine-tuned."""

    max_epochs: Annotated[int, Field(ge=1, le=1000)] = 5
    """Most passes over the training part; early stopping usually ends sooner."""

    early_stopping: EarlyStopping = EarlyStopping()
    """When to stop before maxEpochs."""

    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1)] = 1e-4
    """Highest learning rate of AdamW for the body of the model; its new head learns ten times as fast."""

    warmup_steps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Optimizer steps over which the learning rate rises from zero; a tenth of all steps when left out."""

    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Decoupled weight decay of AdamW; never applied to biases and normalisation weights."""

    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    """Texts in a step on each device."""

    max_sequence_length: Annotated[int, Field(ge=8, le=8192)] | None = None
    """Tokens after which a text is cut; the model's own limit, at most 256, when left out."""

    mixed_precision: MixedPrecision = MixedPrecision.AUTO
    """Auto: BF16 where the hardware computes it, No elsewhere."""

    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 42
    """Seed of split, order and dropout: the same seed on the same hardware gives the same model."""

    checkpoint: Checkpoint = Checkpoint()
    """How often progress is saved."""
