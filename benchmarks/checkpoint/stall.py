"""How long training stands for a checkpoint, and what its upload takes from the processor meanwhile."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

import torch
from benchmarks.data.texts import texts

from trainingrun_api.run_config import Storage
from trainingrun_api.status import EpochSummary
from trainingrun_api.training import EarlyStopping, MixedPrecision, SimilarityStage, Training
from trainingrun_trainer import model
from trainingrun_trainer.artifacts import PatientStore, Turn, open_store
from trainingrun_trainer.pipeline.checkpoints import STATE_FOLDER, Checkpoints, Origin, Uploads
from trainingrun_trainer.records import Example
from trainingrun_trainer.training import SingleLabelClassification, TrainState, prepare
from trainingrun_trainer.training.fit import train_epoch
from trainingrun_trainer.training.history import Meter

REPEATS = 3

TOKENS = 16
"""Of every text: all batches are of one size."""

BATCH, TEXTS, LABELS = 8, 4_000, 8

QUIET_STEPS = 8
"""Before each checkpoint."""


@dataclass(frozen=True)
class Stall:
    """Seconds, each the median of REPEATS."""

    parameters: int
    bytes: int
    """Of a checkpoint's state, without the best weights."""
    stands: float
    """Between two steps."""
    copying: float
    """The state, to memory."""
    upload: float
    """Until it is committed."""
    upload_processor: float
    """Processor time of that, in this process."""
    step: float

    @property
    def seconds(self) -> float:
        """That a checkpoint makes training longer at most: as if no core were free for the upload."""
        return self.stands + self.upload_processor


def measure_stall(base: Path, storage: Storage, prefix: str, work: Path) -> Stall:
    """Train the model in `base` and save to a folder `prefix` of the object store."""
    state = _state(base)
    best = work / "best"
    state.save_weights(best)
    store = PatientStore(open_store(prefix, storage), patience=60)
    origin = Origin(settings={}, sources=[], dataset_sha256=None, base_model=None)
    with Uploads(store) as uploads:
        checkpoints = Checkpoints(store, Turn(store, f"{prefix}/attempt"), prefix, origin, 2, uploads)
        steps = _steps(state)
        _quiet(steps)  # memory is allocated, and threads are there
        found = [_one(state, steps, checkpoints, best, work / prefix[-1]) for _ in range(REPEATS)]
    size, *seconds = (median(column) for column in zip(*found, strict=True))
    parameters = sum(parameter.numel() for parameter in state.objective.network.parameters())
    return Stall(parameters, round(size), *seconds)


def _one(
    state: TrainState, steps: Iterator[float], checkpoints: Checkpoints, best: Path, waiting: Path
) -> tuple[float, ...]:
    """Bytes, then seconds as in Stall."""
    quiet = _quiet(steps)
    copying = _timed(lambda: _copies(state))
    stands = _timed(lambda: checkpoints.save(state, best, waiting))
    size = sum(path.stat().st_size for path in waiting.glob(f"*/{STATE_FOLDER}/*"))
    began, processor = time.monotonic(), _beside()
    while checkpoints.uploads.busy:
        next(steps)
    upload = time.monotonic() - began
    checkpoints.uploads.finish()
    return size, stands, copying, upload, _beside() - processor, quiet


def _beside() -> float:
    """Processor time of this process so far, in all threads but the one that trains."""
    return time.process_time() - time.thread_time()


def _quiet(steps: Iterator[float]) -> float:
    return median(next(steps) for _ in range(QUIET_STEPS))


def _copies(state: TrainState) -> list[object]:
    weights = [value.clone() for value in state.objective.network.state_dict().values()]
    return [weights, copy.deepcopy(state.optimizer.state_dict())]


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _steps(state: TrainState) -> Iterator[float]:
    """Seconds of one step after the other."""
    for epoch in count(1):
        state.meter = Meter.of_epoch(state.steps_per_epoch)
        for done in train_epoch(state, epoch):
            state.meter.add(done, done.step, last=False)
            yield done.seconds


def _state(base: Path) -> TrainState:
    torch.set_num_threads(1)
    labels = [f"label {n}" for n in range(LABELS)]
    classifier = model.load(base, "benchmark", labels)
    rows = [Example(f"{text} {text}", (labels[n % LABELS],)) for n, text in enumerate(texts(TEXTS))]
    classifier.limit_tokens(TOKENS, rows)
    settings = Training(
        max_epochs=100,
        batch_size=BATCH,
        adversarial_epsilon=0,
        mixed_precision=MixedPrecision.FP32,
        similarity_stage=SimilarityStage.NEVER,
        max_sequence_length=TOKENS,
    )
    encoded = classifier.encode(rows)
    state = prepare(SingleLabelClassification(classifier, encoded, encoded, settings), settings)
    first = EpochSummary(epoch=0, training_loss=1, evaluation_loss=1, learning_rate=0)
    state.history = state.history.after(first, [], EarlyStopping())
    return state
