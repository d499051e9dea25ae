"""What a model can learn to do, and which settings go with each task."""

from collections.abc import Collection
from enum import StrEnum

from .metrics import DataKind, StoppingMetric, stopping_metrics
from .rules import Chosen, Equals, Given, Predicate, Rule, Some
from .training import SimilarityStage


class TaskType(StrEnum):
    """What the model learns to do."""

    CLASSIFICATION = "Classification"
    MULTI_LABEL_CLASSIFICATION = "MultiLabelClassification"
    TEXT_SIMILARITY = "TextSimilarity"


OPEN_TASK = ~Given("task_type") & Given("dataset.project")
"""The project may say what the task is. A rule that asks for one task holds then, and is asked again when the
run takes over its project's defaults (`ResolvedSpec`)."""

SIMILARITY = Equals("task_type", TaskType.TEXT_SIMILARITY)
PAIRS = (
    Given("dataset.pair_field")
    | Some("additional_datasets", Given("pair_field"))
    | Given("evaluation_dataset.pair_field")
)
CHOSEN_LABELS = (
    Given("labels.include")
    | Given("labels.exclude")
    | Chosen("labels.aliases")
    | Chosen("labels.allow_disjoint")
)

STAGE_NEEDS_LABELS = Rule(
    Equals("task_type", TaskType.CLASSIFICATION)
    | ~Equals("training.similarity_stage", SimilarityStage.ALWAYS),
    "training.similarityStage Always requires taskType Classification: it needs one label per text",
)
PAIRS_ARE_COMPARED = Rule(
    OPEN_TASK | SIMILARITY | ~PAIRS,
    "dataset.pairField requires taskType TextSimilarity: classifiers learn from labelled texts",
)
PAIRS_HAVE_NO_LABELS = Rule(
    ~PAIRS | ~CHOSEN_LABELS,
    "set at most one of labels and dataset.pairField: pairs of texts have no labels",
)
PAIRS_HAVE_NO_NEAR_DUPLICATES = Rule(
    ~PAIRS | ~(Chosen("near_duplicates.skip") | Chosen("near_duplicates.threshold")),
    "nearDuplicates requires labelled texts: pairs aren't searched for near-duplicates",
)
EMBEDDINGS_HAVE_NO_HEAD = Rule(
    ~SIMILARITY | ~Chosen("training.freeze_body"),
    "training.freezeBody leaves nothing to train for TextSimilarity: an embedding model has no head",
)
EMBEDDINGS_HAVE_NO_WEIGHTS = Rule(
    ~SIMILARITY | ~Chosen("training.class_weights"),
    "training.classWeights doesn't apply to TextSimilarity: pairs are drawn evenly from all labels",
)
EMBEDDINGS_HAVE_NO_SMOOTHING = Rule(
    ~SIMILARITY | ~Chosen("training.label_smoothing"),
    "training.labelSmoothing doesn't apply to TextSimilarity: embedding models don't predict labels",
)
EMBEDDINGS_HAVE_NO_FINAL_FIT = Rule(
    ~SIMILARITY | ~Chosen("training.final_fit"),
    "training.finalFit doesn't apply to TextSimilarity: embedding models are trained only once",
)
EMBEDDINGS_HAVE_NO_CONTEXT = Rule(
    ~SIMILARITY | ~Chosen("context_parameters"),
    "contextParameters doesn't apply to TextSimilarity: only the texts are compared",
)
OF_CLASSES = stopping_metrics(DataKind.CLASSES)
OF_EMBEDDINGS = {kind: stopping_metrics(kind) for kind in DataKind if kind is not DataKind.CLASSES}
OF_ANY_EMBEDDINGS = frozenset[StoppingMetric]().union(*OF_EMBEDDINGS.values())
"""What early stopping can go by, of each task's data; which kind a project's are, its run doesn't say."""


def _in_order(metrics: Collection[StoppingMetric]) -> list[str]:
    return [str(metric) for metric in StoppingMetric if metric in metrics]


ONLY_OF_EMBEDDINGS = " and ".join(_in_order(OF_ANY_EMBEDDINGS - OF_CLASSES))


def _stops_by(metrics: Collection[StoppingMetric]) -> Predicate:
    return Equals("training.early_stopping.metric", *_in_order(metrics))


METRIC_OF_CLASSIFICATION = Rule(
    OPEN_TASK | SIMILARITY | _stops_by(OF_CLASSES),
    f"training.earlyStopping.metric {ONLY_OF_EMBEDDINGS} require taskType TextSimilarity",
)
METRIC_OF_SIMILARITY = Rule(
    ~SIMILARITY
    | (Given("dataset.project") & _stops_by(OF_ANY_EMBEDDINGS))
    | (~Given("dataset.pair_field") & _stops_by(OF_EMBEDDINGS[DataKind.LABELLED_TEXTS]))
    | (Given("dataset.score_field") & _stops_by(OF_EMBEDDINGS[DataKind.SCORED_PAIRS]))
    | (
        Given("dataset.pair_field")
        & ~Given("dataset.score_field")
        & _stops_by(OF_EMBEDDINGS[DataKind.RANKED_TEXTS])
    ),
    "with TextSimilarity, training.earlyStopping.metric has to be EvaluationLoss, or "
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
    PAIRS_HAVE_NO_NEAR_DUPLICATES,
    EMBEDDINGS_HAVE_NO_HEAD,
    EMBEDDINGS_HAVE_NO_WEIGHTS,
    EMBEDDINGS_HAVE_NO_SMOOTHING,
    EMBEDDINGS_HAVE_NO_FINAL_FIT,
    EMBEDDINGS_HAVE_NO_CONTEXT,
    METRIC_OF_CLASSIFICATION,
    METRIC_OF_SIMILARITY,
)


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
