"""A run that makes an embedding model."""

from dataclasses import dataclass

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import DataCounts, Evaluation
from trainingrun_api.lineage import ResolvedBaseModel

from .. import model
from ..base_model import fetch_base_model
from ..model import EmbeddingModel
from ..records import RunRecord
from ..report import Report
from ..training import Outcome, Trainee, prepare
from .embedding_tasks import EmbeddingTask, load_task
from .publish import Judgement, Provenance, evaluate
from .session import Run, log_recipe, record
from .stages import train_and_publish


@dataclass(frozen=True)
class Results:
    """What a pass over the evaluation part needs beside it to become evaluation, table and report."""

    run: Run
    embedder: EmbeddingModel
    trainee: Trainee
    task: EmbeddingTask
    counts: DataCounts
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord

    def of(self, outcome: Outcome, *, finished: bool) -> Report:
        """All that is said of the pass; `finished` once training has ended."""
        judged = self.task.judge(self.trainee, outcome)
        recipe = self.trainee.recipe_used.model_copy(update={"max_sequence_length": self.embedder.max_tokens})
        evaluation = evaluate(
            self.run.config,
            self.task.labels,
            Judgement(outcome.loss, similarity=judged.scores, sources=judged.sources),
            Provenance(
                self.trainee.history,
                recipe,
                self.counts,
                self.base_model,
                self.run.progress.seconds(),
                earlier=self.earlier,
            ),
            finished=finished,
        )
        return Report(evaluation, self.made_of, judged.table)


def train_embeddings(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
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
    trainee = prepare(objective, run.config.training)
    log_recipe(trainee, embedder.max_tokens, truncated)
    counts = task.counts.model_copy(update={"truncated": truncated})
    results = Results(run, embedder, trainee, task, counts, base_model, base.earlier, made_of)
    return train_and_publish(run, trainee, embedder, f"{task.sha256} {base_model.digest}", results)
