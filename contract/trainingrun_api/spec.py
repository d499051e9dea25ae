"""What a user asks for: the specs of TrainingRun and TrainingProject."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from .base import CEL_NAMESPACE, NAMESPACE, FieldName, Model, Rule
from .base_model import BaseModel
from .dataset import Dataset, DatasetFiles, DatasetReference
from .duplicates import NearDuplicates
from .labels import Labels
from .placement import Resources, Scheduling
from .references import LocalObjectReference, Output
from .tasks import TASK_RULES, TaskType, broken_task_rule
from .tracking import Tracking
from .training import Training

EACH_ONCE = Rule(
    "self.all(one, self.exists_one(other, other == one))",
    "contextParameters names a field twice: name each once",
)


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(EACH_ONCE.message)
    return names


ModelName = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
AllowedNamespace = Annotated[str, Field(max_length=63, pattern=rf"^(\*|{NAMESPACE})$")]
ContextParameters = Annotated[
    list[FieldName],
    Field(max_length=8, json_schema_extra={"x-kubernetes-validations": [EACH_ONCE.kubernetes]}),
    AfterValidator(_each_once),
]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]


def _same(one: str, other: str, fields: tuple[str, ...]) -> str:
    """CEL: both have the same values in these fields, or both none."""
    same = (
        f"(has({one}.{f}) ? has({other}.{f}) && {one}.{f} == {other}.{f} : !has({other}.{f}))" for f in fields
    )
    return " && ".join(same)


COPIES_FIRST = Rule(
    "!has(self.skipDuplicates) || self.skipDuplicates || !has(self.nearDuplicates) "
    "|| !has(self.nearDuplicates.skip) || !self.nearDuplicates.skip",
    "nearDuplicates.skip goes with skipDuplicates: leave out copies too, or keep near-copies",
)
HAS_OUTPUT = Rule(
    "has(self.dataset.project) || has(self.output)",
    "output is required with dataset.uri: write output.uri, for instance s3://bucket/prefix",
)
EACH_DATASET_ONCE = Rule(
    "self.additionalDatasets.all(d, "
    f"(has(d.{CEL_NAMESPACE}) || !({_same('d', 'self.dataset', ('uri', 'project'))})) && "
    f"self.additionalDatasets.exists_one(e, {_same('d', 'e', ('uri', 'project', CEL_NAMESPACE))}))",
    "name each data set once in dataset and additionalDatasets",
)
EVALUATED_OR_TRAINED_ON = Rule(
    "!has(self.evaluationDataset) "
    f"|| !({_same('self.evaluationDataset', 'self.dataset', ('uri', 'project'))} "
    f"&& !has(self.evaluationDataset.{CEL_NAMESPACE})) && self.additionalDatasets.all(d, "
    f"!({_same('self.evaluationDataset', 'd', ('uri', 'project', CEL_NAMESPACE))}))",
    "evaluationDataset is one that is trained on: name another, or leave it out",
)
SPLIT_OR_GIVEN = Rule(
    "!has(self.evaluationDataset) || !has(self.trainPercent) || self.trainPercent == 80",
    "trainPercent goes without evaluationDataset, which is evaluated on instead of a part",
)

EVALUATED_APART = Rule(
    "!has(self.evaluationDataset) || !has(self.training) || !has(self.training.finalFit) "
    "|| !self.training.finalFit",
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

    RULES: ClassVar[tuple[Rule, ...]] = (COPIES_FIRST,)

    @model_validator(mode="after")
    def _skips_copies_first(self) -> Self:
        if self.near_duplicates.skip and not self.skip_duplicates:
            raise ValueError(COPIES_FIRST.message)
        return self

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
    """Texts to learn from: set exactly one of project and uri."""

    additional_datasets: Annotated[list[DatasetReference], Field(max_length=16)] = []
    """More texts to learn from, together with those of dataset, with which each must have a label in common.
    Read with endpoint, region and credentials of the run's output."""

    evaluation_dataset: DatasetReference | None = None
    """Texts to evaluate on, in place of a part of dataset. All other data sets are trained on then, without
    texts that are copies or near-copies of these. Read as additionalDatasets are."""

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

    @property
    def open_task(self) -> bool:
        """Whether the project may say what the task is: OPEN_TASK in Python."""
        return "task_type" not in self.model_fields_set and self.dataset.project is not None

    @model_validator(mode="after")
    def _has_output(self) -> Self:
        if self.dataset.project is None and self.output is None:
            raise ValueError(HAS_OUTPUT.message)
        return self

    @model_validator(mode="after")
    def _each_data_set_once(self) -> Self:
        learned = [(d.uri, d.shared_name) for d in (self.dataset, *self.additional_datasets)]
        if len(set(learned)) < len(learned):
            raise ValueError(EACH_DATASET_ONCE.message)
        evaluated = self.evaluation_dataset
        if evaluated is not None and (evaluated.uri, evaluated.shared_name) in learned:
            raise ValueError(EVALUATED_OR_TRAINED_ON.message)
        return self

    @model_validator(mode="after")
    def _split_or_given(self) -> Self:
        if self.evaluation_dataset is not None and self.train_percent != 80:
            raise ValueError(SPLIT_OR_GIVEN.message)
        return self

    @model_validator(mode="after")
    def _evaluated_apart(self) -> Self:
        if self.evaluation_dataset is not None and self.training.final_fit:
            raise ValueError(EVALUATED_APART.message)
        return self

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        broken = broken_task_rule(self)
        if broken is not None:
            raise ValueError(broken.message)
        return self


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
