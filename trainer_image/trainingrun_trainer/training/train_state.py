"""Everything that changes while a model is trained, and how it is saved and restored."""

import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import torch
from accelerate.accelerator import Accelerator
from accelerate.data_loader import DataLoaderShard, prepare_data_loader
from peft.tuners.lora import LoraModel
from safetensors import SafetensorError
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from trainingrun_api.evaluation import Recipe
from trainingrun_api.training import Sharding, Training

from ..distributed import from_first, gather_objects, is_first, rank, size
from ..errors import Interrupted, SettingsError
from .adversarial_noise import AdversarialNoise
from .batches import Batch, BatchLoader
from .body import add_adapters, checkpoint_activations, merge_adapters, transformer_of
from .gpu import make_masks_without_looking
from .history import METER, History, Meter
from .objective import Objective, Outcome
from .optimizer import HEAD_FACTOR, build_optimizer, build_schedule, freeze_body
from .readings import steps_to_a_reading
from .recipe import batch_size, choose_precision, decide, stage_recipe
from .sharding import is_sharded, shard
from .weights import load_optimizer_state, load_weights, optimizer_state, save_weights

STATE = "state.pt"
HISTORY = "history.json"

SEEDS_APART = 1_000_003
"""Between the seeds of processes, whose dropout is to differ."""


class Decision(IntEnum):
    """What to do between two steps. Where several processes decide, the greatest counts."""

    GO_ON = 0
    SAVE = 1
    STOP = 2


def _go_on() -> Decision:
    return Decision.GO_ON


class RandomState(NamedTuple):
    """Of a process's random numbers."""

    cpu: Tensor
    gpu: Tensor | None
    """Of its own GPU."""

    @classmethod
    def now(cls) -> Self:
        """This process's."""
        return cls(torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None)

    @staticmethod
    def restore(saved: Sequence[Sequence[Tensor | None]]) -> None:
        """Go on with this process's own, of those of all; as it is where there were fewer processes."""
        if rank() >= len(saved):
            return
        cpu, gpu = saved[rank()]
        assert cpu is not None
        torch.set_rng_state(cpu)
        if gpu is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(gpu)


@dataclass
class TrainState:
    """A model in training."""

    objective: Objective
    accelerator: Accelerator
    training: DataLoaderShard
    head: DataLoaderShard
    """What a new head is started from."""
    evaluation: DataLoaderShard
    optimizer: AdamW
    schedule: LambdaLR
    recipe: Recipe
    history: History
    divisible: bool
    """Whether batches may be taken in parts when memory is short."""
    adversarial_noise: AdversarialNoise | None
    """Disturbs what each step learns."""
    adapters: LoraModel | None = None
    """Until they are merged."""
    parts: int = 1
    """Parts that each batch is taken in."""
    stage: "TrainState | None" = None
    """The similarity stage, which trains the same network before epoch 0."""
    before_stage: dict[str, Tensor] | None = None
    """Weights that the network had before the stage; None but in the stage."""
    chosen_epochs: int | None = None
    """Epochs to train where an earlier fit has chosen them: nothing is decided by the evaluation split then,
    neither when to stop nor whether the stage is kept."""
    meter: Meter | None = None
    """How the epoch that is being trained has gone so far; None between epochs."""
    steps_to_a_reading: int = 1
    """Steps whose losses are read at once."""
    decide: Callable[[], Decision] = _go_on
    """Asked between steps, and where an evaluation can stop, which is never saved."""

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.training) / self.recipe.gradient_accumulation_steps)

    @property
    def max_epochs(self) -> int:
        return self.recipe.total_steps // self.steps_per_epoch

    @property
    def recipe_used(self) -> Recipe:
        """The recipe, with the batches that memory allowed."""
        used = {
            "batch_size": math.ceil(self.recipe.batch_size / self.parts),
            "gradient_accumulation_steps": self.recipe.gradient_accumulation_steps * self.parts,
        }
        return self.recipe.model_copy(update=used)

    @property
    def tf32(self) -> bool:
        """Whether what bfloat16 leaves to float32 may be in TF32, which is more precise than the former."""
        return self.accelerator.device.type == "cuda" and self.recipe.mixed_precision == "bf16"

    @property
    def learning_rate(self) -> float:
        """Current learning rate of the body."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def steps(self) -> int:
        """Steps trained so far, without those of the similarity stage."""
        return self.history.trained * self.steps_per_epoch + (self.meter.steps if self.meter else 0)

    @property
    def stage_steps(self) -> int | None:
        """Steps of the similarity stage that are done; None but in the stage."""
        if self.stage is None or self.before_stage is None:
            return None
        return self.stage.steps

    @property
    def worth_saving(self) -> bool:
        """Whether there is more than the model as it was loaded."""
        return bool(self.history.epochs) or self.before_stage is not None

    def evaluate(self) -> Outcome[Any]:
        """One pass over the evaluation split. Raises Interrupted, with the state as it was before.

        The first process has its output, all have its scores.
        """
        with self.repeatable():
            outcome = self.objective.evaluate(self._until_stopped())
        shared = from_first(outcome and replace(outcome, output=None))
        evaluated = outcome or shared
        assert evaluated is not None  # the first process has one
        return evaluated

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """Leave the random numbers as they were where Interrupted is raised within."""
        random = torch.get_rng_state()
        try:
            yield
        except Interrupted:
            torch.set_rng_state(random)
            raise

    def _until_stopped(self) -> Iterator[Batch]:
        for batch in self.evaluation:
            if self.decide() is Decision.STOP:
                raise Interrupted
            yield batch

    def release(self) -> None:
        """Free what the optimizer knows of each weight, once training is over."""
        self.optimizer.zero_grad()
        self.optimizer.state.clear()

    def merge_adapters(self) -> None:
        """Make an ordinary model of one with adapters, once it is trained; others stay as they are."""
        if self.adapters is not None:
            merge_adapters(self.adapters)
            self.adapters = None

    def save_weights(self, folder: Path) -> None:
        """Have the first process write the weights alone; all come here."""
        save_weights(self.objective.network, folder)

    def load_weights(self, folder: Path) -> None:
        """Take the weights that `save_weights` wrote, which the first process reads; all come here."""
        load_weights(self.objective.network, folder)

    def save(self, folder: Path) -> None:
        """Have the first process write all that an undisturbed run would go on with into an empty folder; all
        come here.
        """
        self.save_weights(folder)
        random = gather_objects(RandomState.now())
        saved = {
            "training": self._position(),
            "stage": self.stage._position() if self.stage is not None else None,
            "before_stage": self.before_stage,
            "random": [list(one) for one in random],
        }
        if is_first():
            torch.save(saved, folder / STATE)
            (folder / HISTORY).write_text(self.history.model_dump_json())

    def _position(self) -> dict[str, Any]:
        """Where optimizer, schedule and epoch stand."""
        return {
            "optimizer": optimizer_state(self.objective.network, self.optimizer),
            "schedule": self.schedule.state_dict(),
            "parts": self.parts,
            "meter": METER.dump_python(self.meter, mode="json"),
        }

    def restore(self, folder: Path) -> None:
        """Go on from what `save` wrote, which all processes read. Raises ValueError when it does not fit this
        model."""
        try:
            saved = torch.load(folder / STATE, weights_only=True, map_location="cpu")
            self.load_weights(folder)
            self._go_to(saved["training"])
            if self.stage is not None and saved["stage"] is not None:
                self.stage._go_to(saved["stage"])
            self.before_stage = saved["before_stage"]
            RandomState.restore(saved["random"])
            self.history = History.model_validate_json((folder / HISTORY).read_text())
            self.history = self.history.restarted(self.steps)
        except (pickle.UnpicklingError, KeyError, OSError, RuntimeError, SafetensorError) as error:
            raise ValueError(str(error)) from error

    def _go_to(self, position: dict[str, Any]) -> None:
        load_optimizer_state(self.objective.network, self.optimizer, position["optimizer"])
        self.schedule.load_state_dict(position["schedule"])
        self.parts = position["parts"]
        self.meter = METER.validate_python(position["meter"])


def prepare(objective: Objective, settings: Training) -> TrainState:
    """Place the model on the device and make optimizer, schedule and batches.

    Raises SettingsError when the settings do not fit the model or the number of texts.
    """
    _require_metric(objective, settings)
    architecture = transformer_of(objective.network).config.model_type
    precision = choose_precision(settings.mixed_precision, architecture)
    if settings.freeze_body:
        freeze_body(objective)
    adapters = add_adapters(objective.network, settings.lora) if settings.lora else None
    sharded = settings.sharding is Sharding.FULL and size() > 1
    if settings.activation_checkpointing:
        checkpoint_activations(objective.network)
    stage = None if sharded else objective.stage(settings)
    if sharded:
        shard(objective.network)
    batches = objective.training_batches(batch_size(settings), settings.seed)
    recipe = decide(objective, settings, len(batches), precision, after_stage=stage is not None)
    state = _state(objective, batches, recipe, settings, head_factor=1 if adapters else HEAD_FACTOR)
    state.adapters = adapters
    state.stage = prepare_stage(stage, recipe, settings) if stage else None
    if rank():  # up to here all processes drew the same numbers, so that new weights are the same
        torch.manual_seed(settings.seed + SEEDS_APART * rank())
    return state


def prepare_stage(stage: Objective, recipe: Recipe, settings: Training) -> TrainState:
    """What one epoch of `stage` needs before training by `recipe`, on a network that has its adapters, if
    any."""
    batches = stage.training_batches(recipe.batch_size, settings.seed)
    return _state(stage, batches, stage_recipe(recipe, settings, len(batches)), settings)


def _state(
    objective: Objective,
    batches: BatchLoader,
    recipe: Recipe,
    settings: Training,
    head_factor: int = HEAD_FACTOR,
) -> TrainState:
    # Without a precision, of which Accelerate has one for all of a process: the loop sees to that.
    accelerator = Accelerator(mixed_precision="no")
    if accelerator.device.type == "cuda":
        make_masks_without_looking()
    objective.network.to(accelerator.device)
    optimizer = build_optimizer(
        objective, recipe.learning_rate, settings.weight_decay, recipe.layer_decay, head_factor
    )
    epsilon = recipe.adversarial_epsilon
    return TrainState(
        objective=objective,
        accelerator=accelerator,
        training=on_device(batches, accelerator),
        head=on_device(objective.head_batches(recipe.batch_size, settings.seed), accelerator),
        evaluation=on_device(objective.evaluation_batches(recipe.batch_size), accelerator),
        optimizer=optimizer,
        schedule=build_schedule(optimizer, settings.schedule, recipe.total_steps, recipe.warmup_steps),
        recipe=recipe,
        history=History(),
        divisible=settings.batch_size is None and objective.divisible and not is_sharded(objective.network),
        adversarial_noise=AdversarialNoise(objective.network, epsilon) if epsilon else None,
        steps_to_a_reading=steps_to_a_reading(accelerator.device),
    )


def on_device(batches: BatchLoader, accelerator: Accelerator) -> DataLoaderShard:
    """The same batches with their tensors on the device; not divided once more among processes."""
    placed = prepare_data_loader(
        batches,
        accelerator.device,
        num_processes=1,
        process_index=0,
        put_on_device=True,
        non_blocking=True,  # from pinned memory, see `loader`
    )
    return cast("DataLoaderShard", placed)


def _require_metric(objective: Objective, settings: Training) -> None:
    metric, there_are = settings.early_stopping.metric, objective.metrics
    if metric not in there_are:
        raise SettingsError(
            f"spec.training.earlyStopping.metric: this task has no {metric} on these data; "
            f"choose one of {', '.join(sorted(there_are))}"
        )
