"""What a user asks for: the specs of TrainingRun and TrainingProject."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .base import Model, ObjectName, Rule
from .placement import Resources, Scheduling
from .training import Training

FieldName = Annotated[str, Field(min_length=1, max_length=128)]
StorageUri = Annotated[str, Field(min_length=6, max_length=1024, pattern=r"^(s3|file)://.+$")]
ModelName = Annotated[str, Field(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]


class TaskType(StrEnum):
    """What the model learns to do."""

    CLASSIFICATION = "Classification"


class LocalObjectReference(Model):
    """An object in the namespace of the resource that names it."""

    name: ObjectName
    """Name of the object."""


class BaseModel(Model):
    """Where training starts; at most one field is set."""

    from_run: LocalObjectReference | None = None
    """An earlier TrainingRun of this namespace; the run waits until that one has succeeded."""

    uri: StorageUri | None = None
    """A folder in Hugging Face format (config.json, model.safetensors, tokenizer files), as s3:// or file://."""

    RULES: ClassVar = (
        Rule(
            "has(self.fromRun) != has(self.uri)",
            "set exactly one of fromRun and uri, or leave baseModel out for the default model",
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.from_run is None) == (self.uri is None):
            raise ValueError(self.RULES[0].message)
        return self


class DatasetFiles(Model):
    """Labelled texts in files."""

    uri: StorageUri
    """A .jsonl, .csv or .parquet file, or a prefix that ends in / with such files under it, as s3:// or file://."""

    text_field: FieldName = "text"
    """Field or column that holds the text."""

    label_field: FieldName = "label"
    """Field or column that holds the label."""


class Dataset(Model):
    """Labelled texts: of a project, or in files; exactly one of project and uri is set."""

    project: ObjectName | None = None
    """A TrainingProject of this namespace, whose data set, preset base model and output are used."""

    uri: StorageUri | None = None
    """A .jsonl, .csv or .parquet file, or a prefix that ends in / with such files under it, as s3:// or file://."""

    text_field: FieldName | None = None
    """Field or column that holds the text; "text" when left out. Goes with uri."""

    label_field: FieldName | None = None
    """Field or column that holds the label; "label" when left out. Goes with uri."""

    RULES: ClassVar = (
        Rule("has(self.project) != has(self.uri)", "set exactly one of project and uri"),
        Rule(
            "!has(self.project) || (!has(self.textField) && !has(self.labelField))",
            "textField and labelField go with uri; the project names its own",
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.project is None) == (self.uri is None):
            raise ValueError(self.RULES[0].message)
        if self.project is not None and (self.text_field or self.label_field):
            raise ValueError(self.RULES[1].message)
        return self

    def files(self) -> DatasetFiles | None:
        """The files this data set names itself; None when a project names them."""
        if self.uri is None:
            return None
        return DatasetFiles(
            uri=self.uri, text_field=self.text_field or "text", label_field=self.label_field or "label"
        )


class Output(Model):
    """The object store that results go to, and that s3:// data sets and models are read from."""

    uri: StorageUri
    """Results go under <uri>/<namespace>/<run name>/<hash of the spec>/."""

    endpoint: Annotated[str, Field(max_length=1024, pattern=r"^https?://.+$")] | None = None
    """URL of an S3-compatible server; AWS when left out."""

    region: Annotated[str, Field(min_length=1, max_length=64)] = "us-east-1"
    """Region of the bucket."""

    credentials_secret_ref: LocalObjectReference | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; left out, the pod's own identity is used."""


class TrainingRunSpec(Model):
    """One training of one model. Fixed after creation, but for suspend, the deadlines and the TTL."""

    model_name: ModelName | None = None
    """Name of the trained model in its card and configuration; the run's own name when left out."""

    task_type: TaskType = TaskType.CLASSIFICATION
    """What the model learns: Classification gives each text one label."""

    base_model: BaseModel | None = None
    """Where training starts; left out, the project's preset, else the operator's default model."""

    dataset: Dataset
    """Texts to learn from: set exactly one of project and uri."""

    skip_duplicates: bool = True
    """Leave out texts that occur again (after Unicode, case and white-space normalisation)."""

    train_percent: Annotated[int, Field(ge=50, le=95)] = 80
    """Share of the texts that is trained on, in percent; the rest evaluates. Stratified by label."""

    training: Training = Training()
    """How the model is fine-tuned."""

    output: Output | None = None
    """Where results go; left out, the project's output."""

    resources: Resources = Resources()
    """What the trainer pod asks for."""

    scheduling: Scheduling = Scheduling()
    """Where the trainer pod may run."""

    suspend: bool = False
    """True keeps the run from starting, or stops it; it goes on from its last checkpoint when false again."""

    active_deadline_seconds: Seconds | None = None
    """Seconds the run may train before it fails."""

    pending_deadline_seconds: Seconds | None = None
    """Seconds the run may wait, for what it refers to or for a node, before it fails."""

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
    RULES: ClassVar = (
        Rule(
            "has(self.dataset.project) || has(self.output)",
            "output is required with dataset.uri: write output.uri, for instance s3://bucket/prefix",
        ),
    )

    @model_validator(mode="after")
    def _has_output(self) -> Self:
        if self.dataset.project is None and self.output is None:
            raise ValueError(self.RULES[0].message)
        return self


class TrainingProjectSpec(Model):
    """What the runs of one team share."""

    dataset: DatasetFiles
    """The project's labelled texts."""

    base_model: BaseModel | None = None
    """Preset base model of runs that name none; left out, the operator's default model."""

    output: Output
    """Where results of the project's runs go."""
