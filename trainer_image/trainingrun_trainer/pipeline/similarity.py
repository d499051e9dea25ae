"""A run that makes an embedding model."""

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import Evaluation

from .. import model
from ..base_model import fetch_base_model
from ..evaluation import to_parquet
from ..report import Report
from ..training import EpochDone, prepare
from .embedding_tasks import load_task
from .publish import Judgement, Provenance, evaluate, publish
from .reports import write_report
from .session import Run, log_recipe, record, train


def train_embeddings(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
    run.tracker.stage("LoadingData")
    task = load_task(run)
    run.tracker.stage("LoadingModel")
    set_seed(run.config.training.seed)
    base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
    embedder = model.load_embedding_model(
        base.folder, base.resolved.source, allow_pickled=run.config.base_model.allow_pickled
    )
    base_model = base.resolved.fitted(None, embedder.notes)
    embedder.limit_tokens(run.config.training.max_sequence_length, task.texts())
    made_of = record(run, task.sha256, base_model)
    objective, truncated = task.objective(embedder)
    trainee = prepare(objective, run.config.training)
    log_recipe(trainee, embedder.max_tokens, truncated)
    train(run, trainee, origin=f"{task.sha256} {base_model.digest}", after_epoch=_no_report)
    run.tracker.stage("Evaluating")
    trainee.load_weights(run.best)
    trainee.merge_adapters()
    outcome = trainee.evaluate()
    judged = task.judge(trainee, outcome)
    recipe = trainee.recipe_used.model_copy(update={"max_sequence_length": embedder.max_tokens})
    counts = task.counts.model_copy(update={"truncated": truncated})
    evaluation = evaluate(
        run.config,
        task.labels,
        Judgement(outcome.loss, similarity=judged.scores, sources=judged.sources),
        Provenance(trainee.history, recipe, counts, base_model, earlier=base.earlier),
    )
    run.tracker.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(judged.table))
    write_report(run, Report(evaluation, made_of, judged.table if task.labels else None))
    publish(run.store, run.places, embedder, evaluation, run.work / "model")
    return evaluation


def _no_report(done: EpochDone) -> None:
    """The report of embeddings is written at the end alone."""
