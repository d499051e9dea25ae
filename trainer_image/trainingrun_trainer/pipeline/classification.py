"""A run that makes a classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import DataCounts, Evaluation
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig

from .. import model
from ..base_model import BaseModelFolder, fetch_base_model
from ..corpus import Splits
from ..data import FieldValues
from ..evaluation import predictions_table, score_labels, score_sources
from ..model import Classifier
from ..records import RunRecord
from ..report import Report
from ..training import MultiLabelClassification, Outcome, SingleLabelClassification, Trainee, prepare
from .doubts import label_doubts
from .loading import load_data
from .publish import Judgement, Provenance, evaluate
from .session import Run, log_recipe, record
from .stages import train_and_publish


@dataclass(frozen=True)
class Results:
    """What a pass over the evaluation part needs beside it to become evaluation, table and report."""

    run: Run
    classifier: Classifier
    trainee: Trainee
    splits: Splits
    counts: DataCounts
    fields: Sequence[FieldValues]
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord

    def of(self, outcome: Outcome, *, finished: bool) -> Report:
        """All that is said of the pass; `finished` once training has ended."""
        labels, predictions = self.classifier.labels, outcome.predictions
        if predictions is None:
            raise TypeError(f"{type(self.trainee.objective).__name__} gives no labels")
        by_source = score_sources(
            predictions.targets,
            predictions.predicted,
            predictions.losses,
            self.splits.evaluation,
            self.run.config.source_names,
        )
        scores = score_labels(predictions, labels)
        doubts = label_doubts(self.trainee.history.doubts, predictions, self.splits, labels)
        judgement = Judgement(predictions.loss, classification=scores, sources=by_source, doubts=doubts)
        recipe = self.trainee.recipe_used.model_copy(
            update={"max_sequence_length": self.classifier.max_tokens}
        )
        provenance = Provenance(
            self.trainee.history,
            recipe,
            self.counts,
            self.base_model,
            self.run.progress.seconds(),
            self.fields,
            self.earlier,
        )
        evaluation = evaluate(self.run.config, labels, judgement, provenance, finished=finished)
        return Report(
            evaluation, self.made_of, predictions_table(self.splits.evaluation, labels, predictions)
        )


def train_classifier(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
    run.progress.stage("LoadingData")
    prepared = load_data(run)
    run.progress.stage("LoadingModel")
    set_seed(run.config.training.seed)
    base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
    classifier = _load(run.config, base, prepared.splits)
    base_model = base.resolved.fitted(classifier.head_origin, classifier.notes)
    made_of = record(run, prepared.sha256, base_model)
    trainee, truncated = _prepare(run, classifier, prepared.splits)
    counts = prepared.counts.model_copy(update={"truncated": truncated})
    results = Results(
        run=run,
        classifier=classifier,
        trainee=trainee,
        splits=prepared.splits,
        counts=counts,
        fields=prepared.fields,
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
    )
    return train_and_publish(run, trainee, classifier, f"{prepared.sha256} {base_model.digest}", results)


def _load(config: RunConfig, base: BaseModelFolder, splits: Splits) -> Classifier:
    classifier = model.load(
        base.folder,
        base.resolved.source,
        splits.labels,
        multi_label=config.task_type.several_labels,
        allow_pickled=config.base_model.allow_pickled,
    )
    classifier.use_context(config.context_parameters)
    classifier.limit_tokens(config.training.max_sequence_length, splits.training)
    return classifier


def _prepare(run: Run, classifier: Classifier, splits: Splits) -> tuple[Trainee, int]:
    training, evaluation = classifier.encode(splits.training), classifier.encode(splits.evaluation)
    task = MultiLabelClassification if classifier.multi_label else SingleLabelClassification
    objective = task(classifier, training, evaluation, run.config.training.class_weights)
    trainee = prepare(objective, run.config.training)
    log_recipe(trainee, classifier.max_tokens, training.truncated + evaluation.truncated)
    return trainee, training.truncated + evaluation.truncated
