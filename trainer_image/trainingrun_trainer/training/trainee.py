"""Everything that changes while a model is trained, and how it is saved and restored."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate.accelerator import Accelerator
from accelerate.data_loader import DataLoaderShard
from accelerate.state import AcceleratorState
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from trainingrun_api.training import Training

from ..model import Classifier, PooledClassifier
from ..records import EncodedTexts
from .batches import evaluation_batches, training_batches
from .history import History
from .optimizer import build_optimizer, build_schedule
from .precision import choose_precision
from .probe import probe

WEIGHTS = "model.safetensors"
STATE = "state.pt"
HISTORY = "history.json"


@dataclass
class Trainee:
    """A classifier in training."""

    classifier: Classifier
    accelerator: Accelerator
    training: DataLoaderShard
    evaluation: DataLoaderShard
    evaluation_texts: EncodedTexts
    optimizer: AdamW
    schedule: LambdaLR
    total_steps: int
    history: History

    @property
    def learning_rate(self) -> float:
        """Current learning rate of the body."""
        return float(self.optimizer.param_groups[0]["lr"])

    def save_weights(self, folder: Path) -> None:
        """Write the weights alone."""
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.classifier.network, str(folder / WEIGHTS))

    def load_weights(self, folder: Path) -> None:
        """Take the weights that `save_weights` wrote."""
        load_model(self.classifier.network, folder / WEIGHTS, device=str(self.accelerator.device))

    def save(self, folder: Path) -> None:
        """Write all that an undisturbed run would go on with."""
        self.save_weights(folder)
        state = {
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        torch.save(state, folder / STATE)
        (folder / HISTORY).write_text(self.history.model_dump_json())

    def restore(self, folder: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError when it does not fit this model."""
        try:
            state = torch.load(folder / STATE, weights_only=True, map_location="cpu")
            self.load_weights(folder)
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            torch.set_rng_state(state["random"])
            if torch.cuda.is_available():
                torch.cuda.set_rng_state_all(state["random_cuda"])
            self.history = History.model_validate_json((folder / HISTORY).read_text())
        except (pickle.UnpicklingError, KeyError, OSError, RuntimeError, SafetensorError) as error:
            raise ValueError(str(error)) from error


def prepare(
    classifier: Classifier, training: EncodedTexts, evaluation: EncodedTexts, settings: Training
) -> Trainee:
    """Place the model on the device and make optimizer, schedule and batches."""
    AcceleratorState._reset_state(reset_partial_state=True)  # a process may train with other settings before
    accelerator = Accelerator(mixed_precision=choose_precision(settings.mixed_precision))
    classifier.network.to(accelerator.device)
    batches = training_batches(classifier, training, settings.batch_size, settings.seed)
    optimizer = build_optimizer(classifier, settings)
    total_steps = len(batches) * settings.max_epochs
    evaluation_loader = evaluation_batches(classifier, evaluation, settings.batch_size)
    return Trainee(
        classifier=classifier,
        accelerator=accelerator,
        training=accelerator.prepare(batches),
        evaluation=accelerator.prepare(evaluation_loader),
        evaluation_texts=evaluation,
        optimizer=accelerator.prepare(optimizer),
        schedule=build_schedule(optimizer, total_steps, settings.warmup_steps),
        total_steps=total_steps,
        history=History(),
    )


def start_head(trainee: Trainee) -> None:
    """Give a new head of a pooled model a better start than chance; others start as they were loaded."""
    classifier = trainee.classifier
    if isinstance(classifier, PooledClassifier) and classifier.head_is_new:
        probe(classifier, trainee.training)
