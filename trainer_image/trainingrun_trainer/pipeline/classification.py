"""A run that makes a classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import DataCounts, Evaluation
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.run_config import RunConfig

from .. import model
from ..base_model import BaseModelFolder, fetch_base_model
from ..corpus import Splits, Texts
from ..data import FieldValues
from ..evaluation import LabelPredictions, predictions_table, score_labels, score_sources, to_parquet
from ..model import Classifier
from ..records import RunRecord
from ..report import Report
from ..training import EpochDone, MultiLabelClassification, SingleLabelClassification, Trainee, prepare
from .loading import load_data
from .publish import Judgement, Provenance, evaluate, publish
from .reports import LiveReport, write_report
from .session import Run, log_recipe, record, train


@dataclass(frozen=True)
class Results:
    """What predictions need beside them to become evaluation, table and report."""

    config: RunConfig
    classifier: Classifier
    trainee: Trainee
    texts: Texts
    """The evaluation part."""
    counts: DataCounts
    fields: Sequence[FieldValues]
    base_model: ResolvedBaseModel
    earlier: Evaluation | None
    """The evaluation of the run that made the base model."""
    made_of: RunRecord

    def of(self, predictions: LabelPredictions, *, finished: bool) -> Report:
        """All that is said of the predictions; `finished` once training has ended."""
        labels = self.classifier.labels
        by_source = score_sources(
            predictions.targets,
            predictions.predicted,
            predictions.losses,
            self.texts,
            self.config.source_names,
        )
        scores = score_labels(predictions, labels)
        judgement = Judgement(predictions.loss, classification=scores, sources=by_source)
        recipe = self.trainee.recipe_used.model_copy(
            update={"max_sequence_length": self.classifier.max_tokens}
        )
        provenance = Provenance(
            self.trainee.history, recipe, self.counts, self.base_model, self.fields, self.earlier
        )
        evaluation = evaluate(self.config, labels, judgement, provenance)
        return Report(evaluation, self.made_of, predictions_table(self.texts, labels, predictions), finished)

    def show(self, done: EpochDone, live: LiveReport) -> None:
        """Renew the report after an epoch that isn't the last."""
        predictions = done.predictions
        if predictions is not None and not done.is_last:
            live.update(lambda: self.of(predictions, finished=False))


def train_classifier(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
    run.tracker.stage("LoadingData")
    prepared = load_data(run)
    run.tracker.stage("LoadingModel")
    set_seed(run.config.training.seed)
    base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
    classifier = _load(run.config, base, prepared.splits)
    base_model = base.resolved.fitted(classifier.head_origin, classifier.notes)
    made_of = record(run, prepared.sha256, base_model)
    trainee, truncated = _prepare(run, classifier, prepared.splits)
    counts = prepared.counts.model_copy(update={"truncated": truncated})
    results = Results(
        config=run.config,
        classifier=classifier,
        trainee=trainee,
        texts=prepared.splits.evaluation,
        counts=counts,
        fields=prepared.fields,
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
    )
    live = LiveReport(run)
    origin = f"{prepared.sha256} {base_model.digest}"
    train(run, trainee, origin, after_epoch=lambda done: results.show(done, live))
    run.tracker.stage("Evaluating")
    final = results.of(_predict(run, trainee), finished=True)
    run.tracker.stage("Publishing")
    run.store.write(run.places.predictions, to_parquet(final.predictions))
    write_report(run, final)
    publish(run.store, run.places, classifier, final.evaluation, run.work / "model")
    return final.evaluation


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


def _predict(run: Run, trainee: Trainee) -> LabelPredictions:
    trainee.load_weights(run.best)
    trainee.merge_adapters()
    predictions = trainee.evaluate().predictions
    if predictions is None:
        raise TypeError(f"{type(trainee.objective).__name__} gives no labels")
    return predictions
