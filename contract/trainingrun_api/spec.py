"""What a user asks for: the specs of TrainingRun and TrainingProject."""

from typing import Annotated, ClassVar

from pydantic import Field

from .base import NAMESPACE, FieldName, Model
from .base_model import BaseModel
from .custom_trainer import CustomTrainer
from .dataset import Dataset, DatasetFiles, DatasetReference
from .duplicates import NearDuplicates
from .labels import Labels
from .placement import Resources, Scheduling
from .pod_template import PodTemplate
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
    EachOnce("context_parameters"), "contextParameters lists a field twice: list each once"
)
DUPLICATES_FIRST = Rule(
    ~Chosen("near_duplicates.skip") | Equals("skip_duplicates", True),
    "nearDuplicates.skip requires skipDuplicates: remove duplicates too, or keep near-duplicates",
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
    "dataset and additionalDatasets name a data set twice: name each once",
)
EVALUATED_OR_TRAINED_ON = Rule(
    ~Among("evaluation_dataset", "dataset", "additional_datasets", by=PLACE),
    "evaluationDataset is also in dataset or additionalDatasets: name another data set, or remove it",
)
SPLIT_OR_GIVEN = Rule(
    ~Given("evaluation_dataset") | ~Chosen("train_percent"),
    "set at most one of trainPercent and evaluationDataset: with the latter, dataset isn't split",
)
EVALUATED_APART = Rule(
    ~Given("evaluation_dataset") | ~Chosen("training.final_fit"),
    "set at most one of training.finalFit and evaluationDataset: a final fit trains on the evaluation texts, "
    "which evaluationDataset keeps apart",
)


class RunSettings(Model):
    """The task and its settings, for which a project can set defaults."""

    task_type: TaskType = TaskType.CLASSIFICATION
    """What the model learns. Classification: one label per text. MultiLabelClassification: any number of
    labels per text; a label is predicted if its probability reaches a threshold that is chosen on the
    evaluation split. TextSimilarity: embeddings that are similar for texts that belong together, learned from
    labelled texts, or from pairs of texts if the data set has a pairField."""

    labels: Labels = Labels()
    """Which labels are learned, and under which names. Default: all labels, unchanged."""

    context_parameters: ContextParameters = []
    """Fields, columns or paths, such as metadata.channel, whose values the model reads with each text:
    as the second text of a pair ("email | app") if its tokenizer has pairs, otherwise before the text. Texts
    without a value are used too, and counted in evaluation.json. The model card and config.json say how to
    pass the same values when the model is used."""

    skip_duplicates: bool = True
    """Keep one of each group of equal texts (after Unicode, case and white-space normalization). If their
    labels differ, it has the most frequent ones; on a tie, those that come first."""

    near_duplicates: NearDuplicates = NearDuplicates()
    """Texts that are nearly equal."""

    train_percent: Annotated[int, Field(ge=50, le=95)] = 80
    """Share of the texts in the training split, in percent; the others are the evaluation split. Stratified
    by label, and determined by seed and texts. Not with evaluationDataset."""

    training: Training = Training()
    """How the model is fine-tuned."""

    RULES: ClassVar[tuple[Rule, ...]] = (DUPLICATES_FIRST, EACH_CONTEXT_ONCE)

    def settings(self) -> "RunSettings":
        """The settings alone, all of them set."""
        return RunSettings(**{name: getattr(self, name) for name in RunSettings.model_fields})


class TrainingRunSpec(RunSettings):
    """One training of one model. Immutable, except for suspend, stop, the deadlines and the TTL."""

    model_name: ModelName | None = None
    """Name of the trained model. If two runs of a namespace ask for the same name, the older run gets it, and
    the other waits until that run is deleted. Default: a readable random name, see status.modelName."""

    base_model: BaseModel | None = None
    """The model that training starts from. Default: the project's base model, or the operator's default."""

    resume_from: LocalObjectReference | None = None
    """A failed TrainingRun in this namespace. Training continues from its last checkpoint, with its complete
    state. Data, settings and base model have to be the same; output, resources and deadlines may differ. The
    checkpoint is read with endpoint, region and credentials of this run's output."""

    dataset: Dataset
    """Texts to learn from; set exactly one of project, uri and huggingFace."""

    additional_datasets: Annotated[list[DatasetReference], Field(max_length=16)] = []
    """More texts to learn from. Each data set has to share a label with dataset, unless labels.allowDisjoint
    is true. Read with endpoint, region and credentials of the run's output."""

    evaluation_dataset: DatasetReference | None = None
    """Texts to evaluate on, instead of a split of dataset. All other data sets are then trained on, without
    duplicates or near-duplicates of these texts. Read like additionalDatasets."""

    output: Output | None = None
    """Where results are written. Default: the project's output, or else the operator's, if it has one."""

    tracking: Tracking | None = None
    """Experiment trackers that the run is logged to. Default: those of the project; {} for none."""

    resources: Resources = Resources()
    """Resources of each trainer pod."""

    scheduling: Scheduling = Scheduling()
    """Where and when the trainer pod may run."""

    pod_template: PodTemplate | None = None
    """Additions to the trainer pod."""

    trainer: CustomTrainer | None = None
    """An image of the user's own that trains in place of the operator's trainer."""

    suspend: bool = False
    """True keeps the run from starting, or stops it; false again, it continues from its last checkpoint."""

    stop: bool = False
    """True ends the run for good: its pods save a checkpoint and end, and the run is Failed with reason
    Stopped. A new run can continue with resumeFrom."""

    active_deadline_seconds: Seconds | None = None
    """Seconds that the run may train before it fails."""

    pending_deadline_seconds: Seconds | None = None
    """Seconds that the run may wait, for objects that it refers to or for a node, before it fails. Time in a
    queue, while the Job is suspended, doesn't count."""

    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds after which Job and pods of a finished run are deleted; the TrainingRun itself is kept."""

    backoff_limit: Annotated[int, Field(ge=0, le=100)] = 3
    """Restarts after failures that may be temporary; preemption, eviction and node loss don't count."""

    MUTABLE: ClassVar = (
        "suspend",
        "stop",
        "active_deadline_seconds",
        "pending_deadline_seconds",
        "ttl_seconds_after_finished",
    )
    ALTERNATIVES: ClassVar = (frozenset({"evaluation_dataset", "train_percent"}),)
    RULES: ClassVar = (
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
    """Base model of runs that name none. Default: the operator's default model."""

    output: Output | None = None
    """Where results of the project's runs are written. Default: the operator's output, if it has one."""

    tracking: Tracking | None = None
    """Experiment trackers of the project's runs, unless a run sets its own."""

    defaults: RunSettings = RunSettings()
    """Defaults for settings that a run leaves out, field by field, also inside training and labels. Those
    that don't apply to a run's task are ignored. Changes don't affect runs that have started."""

    allowed_namespaces: Annotated[list[AllowedNamespace], Field(max_length=256)] = []
    """Other namespaces whose runs may read the data set, in additionalDatasets or evaluationDataset; * allows
    all. They read it with their own credentials."""

    def allows(self, namespace: str) -> bool:
        """Whether runs of that other namespace may read the data set."""
        return not {"*", namespace}.isdisjoint(self.allowed_namespaces)
