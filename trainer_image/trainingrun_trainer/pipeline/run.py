"""The stages of a run, in order."""

import hashlib
import logging
import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import BaselineMethod, DataCounts, Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import ResolvedBaseModel, RunResult

from .. import data, model
from ..artifacts import Store, open_store
from ..dedup import deduplicate
from ..evaluation import Predictions, predictions_table, to_parquet
from ..model import Classifier
from ..records import RunRecord, Splits
from ..split import split
from ..training import (
    EpochDone,
    SingleLabelClassification,
    StepDone,
    Trainee,
    fit,
    prepare,
)
from .checkpoints import Checkpoints
from .inputs import dataset_sha256, fetch_base_model, fetch_dataset
from .memory import memory_errors
from .places import Places
from .publish import Provenance, evaluate, publish, published, result
from .tracker import Listener, Tracker

log = logging.getLogger(__name__)

DECIDING_LIBRARIES = ("torch", "transformers", "sentence-transformers", "accelerate", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """What all stages share."""

    config: RunConfig
    store: Store
    places: Places
    tracker: Tracker
    work: Path
    """A folder for everything that is not kept."""

    @property
    def best(self) -> Path:
        """Folder of the best epoch's weights so far."""
        return self.work / "best"


@dataclass(frozen=True)
class PreparedData:
    """The data set, ready to be tokenised."""

    splits: Splits
    counts: DataCounts
    sha256: str


def run(config: RunConfig, listener: Listener) -> RunResult:
    """Train, evaluate and publish; goes on from the last checkpoint, or only reports what is published.

    `listener` gets each progress report in this thread. Raises a TrainerError, whose message says what to
    change; its exit code says whether trying again can help.
    """
    places = Places(config.output_prefix.rstrip("/"))
    store = open_store(places.prefix, config.storage)
    tracker = Tracker(config, listener)
    evaluation = published(store, places)
    if evaluation is None:
        with tempfile.TemporaryDirectory(prefix="trainingrun-") as work, memory_errors():
            evaluation = _train_and_publish(Run(config, store, places, tracker, Path(work)))
    else:
        log.info("The results of this run are published already; nothing is trained")
    tracker.done(evaluation.curves.epochs, evaluation.best_epoch)
    outcome = result(evaluation, places)
    _log_result(outcome)
    return outcome


def _train_and_publish(run: Run) -> Evaluation:
    # Written before anything else, so that an output that can't be written to costs seconds, not hours.
    _record(run, dataset=None, base_model=None)
    run.tracker.stage("LoadingData")
    prepared = _load_data(run)
    run.tracker.stage("LoadingModel")
    set_seed(run.config.training.seed)
    base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
    classifier = model.load(base.folder, base.resolved.source, prepared.splits.labels)
    classifier.limit_tokens(run.config.training.max_sequence_length)
    _record(run, prepared.sha256, base.resolved)
    trainee, truncated = _prepare(run, classifier, prepared.splits)
    _train(run, trainee, origin=f"{prepared.sha256} {base.resolved.digest}")
    run.tracker.stage("Evaluating")
    counts = prepared.counts.model_copy(update={"truncated": truncated})
    predictions = _predict(run, trainee)
    evaluation = evaluate(
        run.config,
        classifier.labels,
        predictions,
        Provenance(trainee.history, trainee.recipe, counts, base.resolved),
    )
    table = predictions_table(prepared.splits.evaluation, classifier.labels, predictions)
    run.tracker.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(table))
    publish(run.store, run.places, classifier, evaluation, run.work / "model")
    return evaluation


def _load_data(run: Run) -> PreparedData:
    dataset = run.config.dataset
    files = fetch_dataset(dataset.uri, run.config.storage, run.work / "data")
    texts = data.read(files, dataset.text_field, dataset.label_field)
    unique = deduplicate(texts.examples)
    kept = unique.examples if run.config.skip_duplicates else texts.examples
    splits = split(kept, run.config.train_percent, run.config.training.seed)
    counts = DataCounts(
        read=texts.read,
        empty=texts.empty,
        unlabelled=texts.unlabelled,
        duplicates=unique.duplicates,
        conflicts=unique.conflicts,
        truncated=0,
        training=len(splits.training),
        evaluation=len(splits.evaluation),
    )
    _log_data(run.config, counts, splits)
    return PreparedData(splits, counts, dataset_sha256(files))


def _prepare(run: Run, classifier: Classifier, splits: Splits) -> tuple[Trainee, int]:
    training, evaluation = classifier.encode(splits.training), classifier.encode(splits.evaluation)
    trainee = prepare(SingleLabelClassification(classifier, training, evaluation), run.config.training)
    recipe = trainee.recipe
    log.info(
        "Model: %.1f million parameters, %.1f trained; texts cut after %d tokens (%d are longer), on %s, "
        "precision %s",
        recipe.parameters / 1e6,
        recipe.trained_parameters / 1e6,
        classifier.max_tokens,
        training.truncated + evaluation.truncated,
        trainee.accelerator.device,
        recipe.mixed_precision,
    )
    log.info(
        "Recipe: learning rate %g, %d steps of %d texts, the first %d to warm up",
        recipe.learning_rate,
        recipe.total_steps,
        recipe.batch_size * recipe.gradient_accumulation_steps,
        recipe.warmup_steps,
    )
    return trainee, training.truncated + evaluation.truncated


def _train(run: Run, trainee: Trainee, origin: str) -> None:
    settings = run.config.training
    checkpoints = Checkpoints(
        run.store,
        run.places.checkpoints,
        settings.checkpoint.keep,
        hashlib.sha256(origin.encode()).hexdigest(),
    )
    checkpoints.resume(trainee, run.best, run.work / "checkpoint")
    steps_done = trainee.history.trained * trainee.steps_per_epoch
    run.tracker.training(trainee.recipe.total_steps, steps_done, trainee.history)
    for event in fit(trainee, settings):
        match event:
            case StepDone():
                run.tracker.step(event)
            case EpochDone():
                _end_epoch(run, trainee, event, checkpoints)


def _end_epoch(run: Run, trainee: Trainee, done: EpochDone, checkpoints: Checkpoints) -> None:
    run.tracker.epoch(trainee.history)
    epoch = done.summary
    log.info(
        "%s: training loss %.4f, evaluation loss %.4f%s%s",
        _epoch_name(epoch.epoch, run.config, trainee.history.method),
        epoch.training_loss,
        epoch.evaluation_loss,
        "".join(f", {name} {score:.3f}" for name, score in epoch.scores.items()),
        " (best so far)" if done.is_best else "",
    )
    if done.is_best:
        trainee.save_weights(run.best)
    every = run.config.training.checkpoint.every_epochs
    if done.is_last or (epoch.epoch and epoch.epoch % every == 0):
        checkpoints.save(trainee, run.best, run.work / "checkpoint")


def _epoch_name(epoch: int, config: RunConfig, method: BaselineMethod) -> str:
    if epoch:
        return f"Epoch {epoch} of {config.training.max_epochs}"
    regression = method is BaselineMethod.LOGISTIC_REGRESSION
    return f"Epoch 0 ({'frozen body, logistic regression' if regression else 'the model as it was loaded'})"


def _predict(run: Run, trainee: Trainee) -> Predictions:
    trainee.load_weights(run.best)
    predictions = trainee.evaluate().predictions
    if predictions is None:
        raise TypeError(f"{type(trainee.objective).__name__} gives no labels")
    return predictions


def _record(run: Run, dataset: str | None, base_model: ResolvedBaseModel | None) -> None:
    versions = {"python": platform.python_version()} | {name: version(name) for name in DECIDING_LIBRARIES}
    record = RunRecord(config=run.config, dataset_sha256=dataset, base_model=base_model, versions=versions)
    run.store.write(run.places.run, record.model_dump_json(indent=2).encode())


def _log_data(config: RunConfig, counts: DataCounts, splits: Splits) -> None:
    log.info(
        "Data: %d texts read from %s; %d empty, %d unlabelled, %d duplicates, %d conflicts%s",
        counts.read,
        config.dataset.uri,
        counts.empty,
        counts.unlabelled,
        counts.duplicates,
        counts.conflicts,
        "" if config.skip_duplicates else " (duplicates are kept)",
    )
    shown = ", ".join(splits.labels[:20]) + (", …" if len(splits.labels) > 20 else "")
    log.info("Split: %d texts to train on, %d to evaluate on", counts.training, counts.evaluation)
    log.info("%d labels: %s", len(splits.labels), shown)


def _log_result(result: RunResult) -> None:
    log.info(
        "Published epoch %d: %s; model %s, scores %s",
        result.best_epoch,
        result.evaluation.in_words(),
        result.artifacts.model,
        result.artifacts.evaluation,
    )
