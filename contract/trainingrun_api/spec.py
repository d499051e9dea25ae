"""What a user asks for: the specs of TrainingRun and TrainingProject."""

from typing import Annotated, ClassVar

from pydantic import Field

from .base import NAMESPACE, FieldName, Model
from .base_model import BaseModel
from .dataset import Dataset, DatasetFiles, DatasetReference
from .duplicates import NearDuplicates
from .labels import Labels
from .placement import Resources, Scheduling
from .references import LocalObjectReference, Output
from .rules import Among, Chosen, Distinct, EachOnce, Equals, Given, Rule
from .tasks import TASK_RULES, TaskType
from .tracking import Tracking
from .training import Training

ModelName = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
AllowedNamespace = Annotated[str, Field(max_length=63, pattern=rf"^(\*|{NAMESPACE})$")]
ContextParameters = Annotated[list[FieldName], Field(max_length=8)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]


EACH_CONTEXT_ONCE = Rule(
    EachOnce("context_parameters"), "contextParameters names a field twice: name each once"
)
DUPLICATES_FIRST = Rule(
    ~Chosen("near_duplicates.skip") | Equals("skip_duplicates", True),
    "nearDuplicates.skip goes with skipDuplicates: remove duplicates too, or keep near-duplicates",
)
HAS_OUTPUT = Rule(
    Given("dataset.project") | Given("output"),
    "output is required unless dataset.project is set: write output.uri, for instance s3://bucket/prefix",
)
PLACE = (
    "uri",
    "project",
    "namespace",
    "hugging_face.repo_id",
    "hugging_face.config",
    "hugging_face.split",
    "hugging_face.revision",
)
"""Fields that say which texts a data set has."""

EACH_DATASET_ONCE = Rule(
    Distinct("dataset", "additional_datasets", by=PLACE),
    "name each data set once in dataset and additionalDatasets",
)
EVALUATED_OR_TRAINED_ON = Rule(
    ~Among("evaluation_dataset", "dataset", "additional_datasets", by=PLACE),
    "evaluationDataset is one that is trained on: name another, or leave it out",
)
SPLIT_OR_GIVEN = Rule(
    ~Given("evaluation_dataset") | ~Chosen("train_percent"),
    "trainPercent goes without evaluationDataset, which is evaluated on instead of a part",
)
EVALUATED_APART = Rule(
    ~Given("evaluation_dataset") | ~Chosen("training.final_fit"),
    "training.finalFit learns the texts that are evaluated on too, which evaluationDataset keeps apart: "
    "leave one of them out",
)


class RunSettings(Model):
    """What is learned, and how: what a project can set for the runs that leave it out."""

    task_type: TaskType = TaskType.CLASSIFICATION
    """What the model learns. Classification: one label for each text. MultiLabelClassification: any number
    of labels for each text, each whose probability reaches a threshold that is chosen on the evaluation
    split. TextSimilarity: embeddings that are near for texts that belong together, learned from labelled
    texts, or from pairs of texts where the data set has a pairField."""

    labels: Labels = Labels()
    """Which labels are learned, and under which names; left out, all as they are."""

    context_parameters: ContextParameters = []
    """Fields, columns or dotted paths, such as metadata.channel, whose values the model reads beside each
    text: as the second text of a pair, "email | app", where its tokenizer has pairs, else before the text.
    Texts without a value are used all the same, and counted in evaluation.json. The model's card and
    config.json say how to give it the same when it is used."""

    skip_duplicates: bool = True
    """Leave out texts that occur again (after Unicode, case and white-space normalisation). Of one that has
    different labels, the most frequent ones are kept, those that come first on a tie."""

    near_duplicates: NearDuplicates = NearDuplicates()
    """Texts that are nearly the same."""

    train_percent: Annotated[int, Field(ge=50, le=95)] = 80
    """Share of the texts that is trained on, in percent; the rest evaluates. Stratified by label, fixed by
    seed and texts. Goes without evaluationDataset."""

    training: Training = Training()
    """How the model is fine-tuned."""

    RULES: ClassVar[tuple[Rule, ...]] = (DUPLICATES_FIRST, EACH_CONTEXT_ONCE)

    def settings(self) -> "RunSettings":
        """The settings alone, all of them set."""
        return RunSettings(**{name: getattr(self, name) for name in RunSettings.model_fields})


class TrainingRunSpec(RunSettings):
    """One training of one model. Fixed after creation, but for suspend, the deadlines and the TTL."""

    model_name: ModelName | None = None
    """Name of the trained model; left out, a readable random one, see status.modelName. Of two runs of a
    namespace that ask for one name, the older has it, and the other waits until that one is deleted."""

    base_model: BaseModel | None = None
    """Where training starts; left out, the project's preset, else the operator's default model."""

    resume_from: LocalObjectReference | None = None
    """A failed TrainingRun of this namespace, from whose last checkpoint training goes on, with all its
    state. Data, settings and base model have to be the same; output, resources and deadlines may be others.
    The checkpoint is read with endpoint, region and credentials of this run's output."""

    dataset: Dataset
    """Texts to learn from; set exactly one of project, uri and huggingFace."""

    additional_datasets: Annotated[list[DatasetReference], Field(max_length=16)] = []
    """More texts to learn from, together with those of dataset, with which each must have a label in common.
    Read with endpoint, region and credentials of the run's output."""

    evaluation_dataset: DatasetReference | None = None
    """Texts to evaluate on, in place of a part of dataset. All other data sets are trained on then, without
    texts that are duplicates or near-duplicates of these. Read as additionalDatasets are."""

    output: Output | None = None
    """Where results go; left out, the project's output."""

    tracking: Tracking | None = None
    """Where curves and scores go besides; left out, the project's tracking. {} for nowhere else."""

    resources: Resources = Resources()
    """What the trainer pod asks for."""

    scheduling: Scheduling = Scheduling()
    """Where the trainer pod may run."""

    suspend: bool = False
    """True keeps the run from starting, or stops it; it goes on from its last checkpoint when false again."""

    active_deadline_seconds: Seconds | None = None
    """Seconds the run may train before it fails."""

    pending_deadline_seconds: Seconds | None = None
    """Seconds the run may wait, for what it refers to or for a node, before it fails; time in a queue, which
    has suspended the Job, doesn't count."""

    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds after which Job and pods of a finished run are deleted; the TrainingRun itself stays."""

    backoff_limit: Annotated[int, Field(ge=0, le=100)] = 3
    """Restarts after failures that may pass; preemption, eviction and node loss do not count."""

    MUTABLE: ClassVar = (
        "suspend",
        "active_deadline_seconds",
        "pending_deadline_seconds",
        "ttl_seconds_after_finished",
    )
    ALTERNATIVES: ClassVar = (frozenset({"evaluation_dataset", "train_percent"}),)
    RULES: ClassVar = (
        HAS_OUTPUT,
        EACH_DATASET_ONCE,
        EVALUATED_OR_TRAINED_ON,
        SPLIT_OR_GIVEN,
        EVALUATED_APART,
        *RunSettings.RULES,
        *TASK_RULES,
    )


class TrainingProjectSpec(Model):
    """What the runs of one team share."""

    dataset: DatasetFiles
    """The project's labelled texts."""

    base_model: BaseModel | None = None
    """Preset base model of runs that name none; left out, the operator's default model."""

    output: Output
    """Where results of the project's runs go."""

    tracking: Tracking | None = None
    """Where curves and scores of the project's runs go besides, of those that say nothing of it."""

    defaults: RunSettings = RunSettings()
    """Settings of runs that leave them out: each field of its own, those inside training and labels too, but
    for those that a run's task has no use for. What a run was started with stays as it was when these
    change."""

    allowed_namespaces: Annotated[list[AllowedNamespace], Field(max_length=256)] = []
    """Other namespaces whose runs may read the data set, in additionalDatasets or evaluationDataset; * for
    all. They read it with their own credentials."""

    def allows(self, namespace: str) -> bool:
        """Whether runs of that other namespace may read the data set."""
        return not {"*", namespace}.isdisjoint(self.allowed_namespaces)
