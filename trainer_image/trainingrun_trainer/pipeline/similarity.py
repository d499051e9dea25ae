"""A run that makes an embedding model."""

from functools import partial

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import Evaluation

from .. import model
from ..base_model import fetch_base_model
from ..training import prepare
from .embedding_tasks import load_task
from .memory import within_limit
from .results import Results
from .session import Run, log_recipe, record
from .stages import train_and_publish


def train_embeddings(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
    with within_limit():
        run.progress.stage("LoadingData")
        task = load_task(run)
        run.progress.stage("LoadingModel")
        set_seed(run.config.training.seed)
        base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
        embedder = model.load_embedding_model(
            base.folder, base.resolved.source, allow_pickled=run.config.base_model.allow_pickled
        )
    base_model = base.resolved.fitted(None, embedder.notes)
    embedder.limit_tokens(run.config.training.max_sequence_length, task.texts())
    made_of = record(run, task.sha256, base_model)
    objective, truncated = task.objective(embedder)
    state = prepare(objective, run.config.training)
    log_recipe(state, embedder.max_tokens, truncated)
    counts = task.counts.model_copy(update={"truncated": truncated})
    results = Results(
        run=run,
        model=embedder,
        state=state,
        score=partial(task.score, state),
        labels=task.labels,
        counts=counts,
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
        fields=task.fields,
    )
    return train_and_publish(results)
