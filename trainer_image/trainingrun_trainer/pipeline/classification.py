"""A run that makes a classifier."""

from functools import partial

from accelerate.utils.random import set_seed

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import RunConfig

from .. import model
from ..base_model import BaseModelFolder, fetch_base_model
from ..corpus import Splits
from ..evaluation import predictions_table, score_labels, score_sources
from ..model import Classifier
from ..records import EncodedTexts
from ..training import (
    MultiLabelClassification,
    Objective,
    Outcome,
    SingleLabelClassification,
    TrainState,
    Untrained,
    prepare,
)
from .final_fit import Anew
from .label_issues import collect_label_issues
from .loading import load_data
from .memory import within_limit
from .results import EvaluationResult, Results
from .session import Run, log_recipe, record
from .stages import train_and_publish


def train_classifier(run: Run) -> Evaluation:
    """Train, evaluate and publish."""
    with within_limit():
        run.progress.stage("LoadingData")
        prepared = load_data(run)
        run.progress.stage("LoadingModel")
        set_seed(run.config.training.seed)
        base = fetch_base_model(run.config.base_model, run.config.storage, run.work / "base")
        classifier = _load(run.config, base, prepared.splits)
    base_model = base.resolved.fitted(classifier.head_origin, classifier.notes)
    made_of = record(run, prepared.sha256, base_model)
    anew = _anew(run, classifier, prepared.splits) if run.config.training.final_fit else None
    state, truncated = _prepare(run, classifier, prepared.splits)
    counts = prepared.counts.model_copy(update={"truncated": truncated})
    results = Results(
        run=run,
        model=classifier,
        state=state,
        score=partial(_score, state, prepared.splits, run.config.source_names),
        labels=classifier.labels,
        counts=counts,
        base_model=base_model,
        earlier=base.earlier,
        made_of=made_of,
        fields=prepared.fields,
    )
    return train_and_publish(results, anew)


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


def _prepare(run: Run, classifier: Classifier, splits: Splits) -> tuple[TrainState, int]:
    training, evaluation = classifier.encode(splits.training), classifier.encode(splits.evaluation)
    state = prepare(_objective(run, classifier, training, evaluation), run.config.training)
    log_recipe(state, classifier.max_tokens, training.truncated + evaluation.truncated)
    return state, training.truncated + evaluation.truncated


def _anew(run: Run, classifier: Classifier, splits: Splits) -> Anew:
    """What a final fit needs, before anything is trained."""
    texts = splits.together()

    def objective() -> Objective:
        return _objective(run, classifier, classifier.encode(texts), classifier.encode(splits.evaluation))

    return Anew(Untrained.of(classifier, run.work / "untrained.safetensors"), objective, len(texts))


def _objective(
    run: Run, classifier: Classifier, training: EncodedTexts, evaluation: EncodedTexts
) -> Objective:
    task = MultiLabelClassification if classifier.multi_label else SingleLabelClassification
    return task(classifier, training, evaluation, run.config.training.class_weights)


def _score(state: TrainState, splits: Splits, sources: list[str], outcome: Outcome) -> EvaluationResult:
    labels, predictions = splits.labels, outcome.predictions
    if predictions is None:
        raise TypeError(f"{type(state.objective).__name__} gives no labels")
    return EvaluationResult(
        predictions.loss,
        predictions_table(splits.evaluation, labels, predictions),
        classification=score_labels(predictions, labels),
        sources=score_sources(
            predictions.targets, predictions.predicted, predictions.losses, splits.evaluation, sources
        ),
        label_issues=collect_label_issues(state.history.label_issues, predictions, splits, labels),
    )
