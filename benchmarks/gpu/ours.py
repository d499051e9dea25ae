"""The trainer's own loop."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import torch
from benchmarks.gpu.work import BATCH, LEARNING_RATE, Found, Length, Step, measure

from trainingrun_api.training import Schedule, SimilarityStage, Training
from trainingrun_trainer import model
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import SingleLabelClassification, StepDone, TrainState, prepare
from trainingrun_trainer.training.fit import train_epoch
from trainingrun_trainer.training.recipe import ADVERSARIAL_EPSILON


def measure_ours(base: Path, rows: Sequence[Example], length: Length, *, noise: bool = False) -> Found:
    """Train the model in `base` on all rows, with adversarial noise if asked."""
    return measure(steps(prepared(base, rows, noise=noise)), length)


def prepared(base: Path, rows: Sequence[Example], *, noise: bool = False) -> TrainState:
    """A state with defaults, but for what all that are compared have alike."""
    torch.manual_seed(0)
    classifier = model.load(base, "benchmark", sorted({label for row in rows for label in row.labels}))
    settings = Training(
        max_epochs=1000,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        schedule=Schedule.CONSTANT,
        warmup_steps=0,
        adversarial_epsilon=ADVERSARIAL_EPSILON if noise else 0.0,
        similarity_stage=SimilarityStage.NEVER,
    )
    classifier.limit_tokens(None, rows)
    encoded = classifier.encode(rows)
    return prepare(SingleLabelClassification(classifier, encoded, encoded, settings), settings)


def steps(state: TrainState) -> Iterator[Step]:
    """Without end."""
    for epoch in count(1):
        for event in train_epoch(state, epoch):
            if isinstance(event, StepDone):
                yield event.texts, event.loss
