"""The stages of a run, in order."""

import logging
import tempfile
from pathlib import Path

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunResult
from trainingrun_api.tasks import TaskType

from .. import model
from ..artifacts import open_store
from ..base_model import fetch_base_model
from ..corpus import Splits
from ..evaluation import LabelPredictions, predictions_table, score_labels, score_sources, to_parquet
from ..model import Classifier
from ..report import Report
from ..training import (
    EpochDone,
    MultiLabelClassification,
    SingleLabelClassification,
    Trainee,
    prepare,
)
from .loading import load_data
from .memory import memory_errors
from .places import Places
from .publish import Judgement, Provenance, evaluate, publish, published, result
from .reports import LiveReport, write_report
from .session import Run, log_recipe, record, train
from .similarity import train_embeddings
from .tracker import Listener, Tracker

log = logging.getLogger(__name__)


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
    record(run, dataset=None, base_model=None)
    if run.config.task_type is TaskType.TEXT_SIMILARITY:
        return train_embeddings(run)
    run.tracker.stage("LoadingData")
    prepared = load_data(run)
    run.tracker.stage("LoadingModel")
    set_seed(run.config.training.seed)
    base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
    classifier = model.load(
        base.folder,
        base.resolved.source,
        prepared.splits.labels,
        multi_label=run.config.task_type.several_labels,
        allow_pickled=run.config.base_model.allow_pickled,
    )
    classifier.use_context(run.config.context_parameters)
    base_model = base.resolved.fitted(classifier.head_origin, classifier.notes)
    classifier.limit_tokens(run.config.training.max_sequence_length, prepared.splits.training)
    made_of = record(run, prepared.sha256, base_model)
    trainee, truncated = _prepare(run, classifier, prepared.splits)
    counts = prepared.counts.model_copy(update={"truncated": truncated})

    def report(predictions: LabelPredictions, *, finished: bool) -> Report:
        recipe = trainee.recipe_used.model_copy(update={"max_sequence_length": classifier.max_tokens})
        provenance = Provenance(trainee.history, recipe, counts, base_model)
        texts = prepared.splits.evaluation
        by_source = score_sources(
            predictions.targets, predictions.predicted, predictions.losses, texts, run.config.source_names
        )
        scores = score_labels(predictions, classifier.labels)
        judgement = Judgement(predictions.loss, classification=scores, sources=by_source)
        evaluation = evaluate(run.config, classifier.labels, judgement, provenance)
        table = predictions_table(texts, classifier.labels, predictions)
        return Report(evaluation, made_of, table, finished)

    live = LiveReport(run)

    def after_epoch(done: EpochDone) -> None:
        if done.predictions is not None and not done.is_last:
            predictions = done.predictions
            live.update(lambda: report(predictions, finished=False))

    train(run, trainee, origin=f"{prepared.sha256} {base_model.digest}", after_epoch=after_epoch)
    run.tracker.stage("Evaluating")
    final = report(_predict(run, trainee), finished=True)
    run.tracker.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(final.predictions))
    write_report(run, final)
    publish(run.store, run.places, classifier, final.evaluation, run.work / "model")
    return final.evaluation


def _prepare(run: Run, classifier: Classifier, splits: Splits) -> tuple[Trainee, int]:
    training, evaluation = classifier.encode(splits.training), classifier.encode(splits.evaluation)
    task = MultiLabelClassification if classifier.multi_label else SingleLabelClassification
    objective = task(classifier, training, evaluation, run.config.training.class_weights)
    trainee = prepare(objective, run.config.training)
    log_recipe(trainee, classifier.max_tokens, training.truncated + evaluation.truncated)
    return trainee, training.truncated + evaluation.truncated


def _predict(run: Run, trainee: Trainee) -> LabelPredictions:
    trainee.load_weights(run.best)
    trainee.merge_adapters()
    predictions = trainee.evaluate().predictions
    if predictions is None:
        raise TypeError(f"{type(trainee.objective).__name__} gives no labels")
    return predictions


def _log_result(result: RunResult) -> None:
    log.info(
        "Published epoch %d: %s; model %s, scores %s",
        result.best_epoch,
        result.evaluation.in_words(),
        result.artifacts.model,
        result.artifacts.evaluation,
    )
    for finding in result.advice:
        log.warning("%s. %s", finding.message, finding.suggestion)
