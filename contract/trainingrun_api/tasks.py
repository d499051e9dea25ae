"""What a model can learn to do, and which settings go with each task."""

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from .base import Rule
from .duplicates import NearDuplicates
from .labels import Labels
from .metrics import DataKind, StoppingMetric, stopping_metrics
from .training import ClassWeights, SimilarityStage

if TYPE_CHECKING:
    from .spec import TrainingRunSpec


class TaskType(StrEnum):
    """What the model learns to do."""

    CLASSIFICATION = "Classification"
    MULTI_LABEL_CLASSIFICATION = "MultiLabelClassification"
    TEXT_SIMILARITY = "TextSimilarity"


OPEN_TASK = "(!has(self.taskType) && has(self.dataset.project))"
"""CEL: the project may say what the task is. A rule that asks for one task holds then, and is asked again
when the run takes over its project's defaults (`ResolvedSpec`)."""

TASK = "(has(self.taskType) ? self.taskType : 'Classification')"
"""CEL: the task, unless it is open."""

PAIRS = (
    "(has(self.dataset.pairField) || self.additionalDatasets.exists(d, has(d.pairField)) "
    "|| has(self.evaluationDataset) && has(self.evaluationDataset.pairField))"
)
CHOSEN_LABELS = (
    "(has(self.labels) && (has(self.labels.include) || has(self.labels.exclude) "
    "|| has(self.labels.aliases) && self.labels.aliases.size() > 0 "
    "|| has(self.labels.allowDisjoint) && self.labels.allowDisjoint))"
)
CHOSEN_NEAR_COPIES = (
    "(has(self.nearDuplicates) && (has(self.nearDuplicates.skip) && self.nearDuplicates.skip "
    "|| has(self.nearDuplicates.threshold) && self.nearDuplicates.threshold != 0.8))"
)
METRIC = (
    "(has(self.training) && has(self.training.earlyStopping) && has(self.training.earlyStopping.metric) "
    "? self.training.earlyStopping.metric : 'EvaluationLoss')"
)

STAGE_NEEDS_LABELS = Rule(
    f"{TASK} == 'Classification' || !has(self.training) || !has(self.training.similarityStage) "
    "|| self.training.similarityStage != 'Always'",
    "training.similarityStage Always goes with taskType Classification: it needs one label a text",
)
PAIRS_ARE_COMPARED = Rule(
    f"{OPEN_TASK} || {TASK} == 'TextSimilarity' || !{PAIRS}",
    "dataset.pairField goes with taskType TextSimilarity: a classifier learns from labelled texts",
)
PAIRS_HAVE_NO_LABELS = Rule(
    f"!{PAIRS} || !{CHOSEN_LABELS}",
    "labels chooses among the labels of texts, which pairs don't have: leave out labels or dataset.pairField",
)
PAIRS_HAVE_NO_NEAR_COPIES = Rule(
    f"!{PAIRS} || !{CHOSEN_NEAR_COPIES}",
    "nearDuplicates goes with labelled texts: of pairs, copies alone are found",
)
EMBEDDINGS_HAVE_NO_HEAD = Rule(
    f"{TASK} != 'TextSimilarity' || !has(self.training) || !has(self.training.freezeBody) "
    "|| !self.training.freezeBody",
    "training.freezeBody leaves nothing to train for TextSimilarity: an embedding model has no head",
)
EMBEDDINGS_HAVE_NO_WEIGHTS = Rule(
    f"{TASK} != 'TextSimilarity' || !has(self.training) || !has(self.training.classWeights) "
    "|| self.training.classWeights == 'None'",
    "training.classWeights goes with classification: pairs of texts are drawn alike from all labels",
)
EMBEDDINGS_HAVE_NO_SMOOTHING = Rule(
    f"{TASK} != 'TextSimilarity' || !has(self.training) || !has(self.training.labelSmoothing) "
    "|| self.training.labelSmoothing == 0.0",
    "training.labelSmoothing goes with classification: embeddings are not trained to give labels",
)
EMBEDDINGS_HAVE_NO_FINAL_FIT = Rule(
    f"{TASK} != 'TextSimilarity' || !has(self.training) || !has(self.training.finalFit) "
    "|| !self.training.finalFit",
    "training.finalFit goes with classification: embeddings of TextSimilarity are trained once",
)
EMBEDDINGS_HAVE_NO_CONTEXT = Rule(
    f"{TASK} != 'TextSimilarity' || !has(self.contextParameters) || self.contextParameters.size() == 0",
    "contextParameters goes with classification: TextSimilarity compares texts alone",
)
OF_CLASSES = stopping_metrics(DataKind.CLASSES)
OF_EMBEDDINGS = {kind: stopping_metrics(kind) for kind in DataKind if kind is not DataKind.CLASSES}
OF_ANY_EMBEDDINGS = frozenset[StoppingMetric]().union(*OF_EMBEDDINGS.values())
"""What early stopping can go by, of each task's data; which kind a project's are, its run doesn't say."""


def _in_order(metrics: Collection[StoppingMetric]) -> list[str]:
    return [str(metric) for metric in StoppingMetric if metric in metrics]


ONLY_OF_EMBEDDINGS = " and ".join(_in_order(OF_ANY_EMBEDDINGS - OF_CLASSES))

METRIC_OF_CLASSIFICATION = Rule(
    f"{OPEN_TASK} || {TASK} == 'TextSimilarity' || {METRIC} in {_in_order(OF_CLASSES)}",
    f"training.earlyStopping.metric {ONLY_OF_EMBEDDINGS} go with taskType TextSimilarity",
)
METRIC_OF_SIMILARITY = Rule(
    f"{TASK} != 'TextSimilarity' || {METRIC} in (has(self.dataset.project) ? {_in_order(OF_ANY_EMBEDDINGS)} "
    f": !has(self.dataset.pairField) ? {_in_order(OF_EMBEDDINGS[DataKind.LABELLED_TEXTS])} "
    f": has(self.dataset.scoreField) ? {_in_order(OF_EMBEDDINGS[DataKind.SCORED_PAIRS])} "
    f": {_in_order(OF_EMBEDDINGS[DataKind.RANKED_TEXTS])})",
    "training.earlyStopping.metric of TextSimilarity is EvaluationLoss, or "
    + ", ".join(
        f"{metric} for {kind}"
        for kind, metrics in OF_EMBEDDINGS.items()
        for metric in _in_order(metrics - {StoppingMetric.EVALUATION_LOSS})
    ),
)

TASK_RULES = (
    STAGE_NEEDS_LABELS,
    PAIRS_ARE_COMPARED,
    PAIRS_HAVE_NO_LABELS,
    PAIRS_HAVE_NO_NEAR_COPIES,
    EMBEDDINGS_HAVE_NO_HEAD,
    EMBEDDINGS_HAVE_NO_WEIGHTS,
    EMBEDDINGS_HAVE_NO_SMOOTHING,
    EMBEDDINGS_HAVE_NO_FINAL_FIT,
    EMBEDDINGS_HAVE_NO_CONTEXT,
    METRIC_OF_CLASSIFICATION,
    METRIC_OF_SIMILARITY,
)


def broken_task_rule(spec: "TrainingRunSpec") -> Rule | None:
    """The first of TASK_RULES that the settings break: what CEL says, in Python."""
    task, training, metric = spec.task_type, spec.training, spec.training.early_stopping.metric
    similarity = task is TaskType.TEXT_SIMILARITY
    may_be_similarity = similarity or spec.open_task
    always = training.similarity_stage is SimilarityStage.ALWAYS
    named = (spec.dataset, *spec.additional_datasets, spec.evaluation_dataset)
    pairs = any(dataset.pair_field for dataset in named if dataset)
    kept = {
        STAGE_NEEDS_LABELS: task is TaskType.CLASSIFICATION or not always,
        PAIRS_ARE_COMPARED: may_be_similarity or not pairs,
        PAIRS_HAVE_NO_LABELS: not pairs or spec.labels == Labels(),
        PAIRS_HAVE_NO_NEAR_COPIES: not pairs or spec.near_duplicates == NearDuplicates(),
        EMBEDDINGS_HAVE_NO_HEAD: not similarity or not training.freeze_body,
        EMBEDDINGS_HAVE_NO_WEIGHTS: not similarity or training.class_weights is ClassWeights.NONE,
        EMBEDDINGS_HAVE_NO_SMOOTHING: not similarity or not training.label_smoothing,
        EMBEDDINGS_HAVE_NO_FINAL_FIT: not similarity or not training.final_fit,
        EMBEDDINGS_HAVE_NO_CONTEXT: not similarity or not spec.context_parameters,
        METRIC_OF_CLASSIFICATION: may_be_similarity or metric in OF_CLASSES,
        METRIC_OF_SIMILARITY: not similarity or metric in _metrics_of_similarity(spec),
    }
    return next((rule for rule, holds in kept.items() if not holds), None)


def _metrics_of_similarity(spec: "TrainingRunSpec") -> frozenset[StoppingMetric]:
    dataset = spec.dataset
    if dataset.project is not None:
        return OF_ANY_EMBEDDINGS
    if dataset.pair_field is None:
        return OF_EMBEDDINGS[DataKind.LABELLED_TEXTS]
    scored = dataset.score_field is not None
    return OF_EMBEDDINGS[DataKind.SCORED_PAIRS if scored else DataKind.RANKED_TEXTS]


def unused_settings(task: TaskType, *, pairs: bool) -> dict[str, bool | set[str]]:
    """Settings that runs of this task can't have and don't miss, in the form of pydantic's `exclude`.

    `pairs`: whether TextSimilarity learns from pairs.
    """
    if task is TaskType.CLASSIFICATION:
        return {}
    if task is TaskType.MULTI_LABEL_CLASSIFICATION:
        return {"training": {"similarity_stage"}}
    of_labels = {"labels": True, "near_duplicates": True} if pairs else {}
    of_classifiers = {"similarity_stage", "freeze_body", "class_weights", "label_smoothing", "final_fit"}
    return {**of_labels, "context_parameters": True, "training": of_classifiers}
