"""Everything the trainer needs to know, as one JSON value made by the operator or the command line."""

from typing import NamedTuple, Self

from .base import Model
from .base_model import BaseModel
from .dataset import DataSource
from .defaults import effective_spec
from .lineage import Ancestor, ResolvedBaseModel
from .names import run_prefix, spec_hash
from .progress import RunIdentity
from .references import Endpoint, Output, Region
from .spec import RunSettings, TrainingProjectSpec, TrainingRunSpec
from .tracking import MlflowServer, Tracking


class HubModel(Model):
    """A model of the Hugging Face hub; a token comes from the environment (HF_TOKEN)."""

    repo_id: str
    """Repository."""
    revision: str
    """Branch, tag or commit."""
    endpoint: str | None = None
    """URL of a mirror; huggingface.co when None."""


class BaseModelSource(Model):
    """Where the base model is read from; neither uri nor hub: the default model of the trainer image."""

    uri: str | None = None
    """Folder or archive in Hugging Face or sentence-transformers format."""
    hub: HubModel | None = None
    """A model of the Hugging Face hub."""
    mount_path: str | None = None
    """Folder of this machine that stands for the claim in a pvc:// URI."""
    allow_pickled: bool = False
    """Read weights from pytorch_model.bin where there are no safetensors."""
    from_run: str | None = None
    """The earlier run whose published model `uri` is."""
    lineage: list[Ancestor] = []
    """The runs behind the base model."""

    def described(self) -> ResolvedBaseModel:
        """What is known of the base model before it is read."""
        source = f"hf://{self.hub.repo_id}" if self.hub else self.uri or "Default"
        return ResolvedBaseModel(source=source, from_run=self.from_run, lineage=self.lineage)


class Storage(Model):
    """How s3:// URIs are reached; credentials come from the environment."""

    endpoint: Endpoint | None = None
    """URL of an S3-compatible server; AWS when None."""
    region: Region = "us-east-1"
    """Region of the bucket."""
    patience_seconds: int = 3600
    """How long to go on asking a store that is away, or refuses what it took before."""
    credentials_secret: str | None = None
    """Secret whose keys are in the environment, for messages; None when no Secret is named."""

    @classmethod
    def of(cls, output: Output) -> Self:
        """As the output says."""
        secret = output.credentials_secret_ref
        return cls(
            endpoint=output.endpoint,
            region=output.region,
            patience_seconds=output.patience_seconds,
            credentials_secret=secret.name if secret else None,
        )


class MlflowExperiment(Model):
    """An experiment of an MLflow server; credentials come from the environment."""

    tracking_uri: str
    """URL of the server."""
    experiment: str
    """Name of the experiment."""


class ProgressEndpoint(Model):
    """Where progress is posted, and by which identity."""

    url: str
    """HTTPS URL that reports are posted to, path included."""
    ca_certificate: str
    """PEM of the certificate authority that signed the operator's certificate."""
    token_path: str
    """File with the pod-bound token; read anew for each report, since it is rotated."""


class OtherDatasets(NamedTuple):
    """Data sets that a spec names beside the main one, as found."""

    additional: tuple[DataSource, ...] = ()
    """Those of spec.additionalDatasets."""
    evaluation: DataSource | None = None
    """That of spec.evaluationDataset."""

    def all(self) -> tuple[DataSource, ...]:
        """Both."""
        return (*self.additional, *([self.evaluation] if self.evaluation else []))


class Resolved(NamedTuple):
    """What a spec leaves open or refers to, as found."""

    project: TrainingProjectSpec | None
    """The one that spec.dataset.project names; None when the data set is in files."""
    base_model: BaseModelSource
    """Where training starts."""
    model_name: str
    """Name of the model."""
    others: OtherDatasets = OtherDatasets()
    """The data sets beside the main one."""
    resume_from: str | None = None
    """URI of the results of the failed run that this one goes on from."""


class RunConfig(RunSettings):
    """One training, with all references resolved."""

    run: RunIdentity
    """The TrainingRun."""
    model_name: str
    """Name in the model card and in evaluation.json."""
    base_model: BaseModelSource = BaseModelSource()
    """Where training starts."""
    dataset: DataSource
    """Texts to learn from."""
    additional_datasets: list[DataSource] = []
    """More of them, from elsewhere."""
    evaluation_dataset: DataSource | None = None
    """Texts to evaluate on; None: a part of those to learn from."""
    gpus_per_node: int = 0
    """GPUs that the pod has; one that sees fewer fails."""
    resume_from: str | None = None
    """URI of the results of a failed run, from whose last checkpoint training goes on."""
    output_prefix: str
    """URI under which all results of this run are kept."""
    storage: Storage
    """How s3:// URIs are reached."""
    mlflow: MlflowExperiment | None = None
    """Where curves and scores go besides; None: nowhere else."""
    progress: ProgressEndpoint | None = None
    """Where progress is posted; None: nowhere (a run without a cluster)."""

    @property
    def sources(self) -> list[DataSource]:
        """All data sets to learn from, the main one first."""
        return [self.dataset, *self.additional_datasets]

    @property
    def all_sources(self) -> list[DataSource]:
        """All data sets that are read, the one to evaluate on last."""
        return [*self.sources, *([self.evaluation_dataset] if self.evaluation_dataset else [])]

    @property
    def source_names(self) -> list[str]:
        """What the user knows them by."""
        return [source.name for source in self.all_sources]

    @classmethod
    def resolve(
        cls,
        run: RunIdentity,
        spec: TrainingRunSpec,
        found: Resolved,
        progress: ProgressEndpoint | None,
    ) -> Self:
        """The configuration of `run`, with what its project shares in the places it left open.

        Raises ValueError when run and project don't go together, or when neither names a data set or an
        output, which admission excludes.
        """
        spec = effective_spec(spec, found.project)
        dataset = effective_dataset(spec, found.project)
        output = effective_output(spec, found.project)
        if dataset is None or output is None:
            raise ValueError(f"{run.namespace}/{run.name} has no data set or no output")
        return cls(
            run=run,
            model_name=found.model_name,
            base_model=found.base_model,
            dataset=dataset,
            additional_datasets=list(found.others.additional),
            evaluation_dataset=found.others.evaluation,
            gpus_per_node=spec.resources.gpus_per_node,
            resume_from=found.resume_from,
            output_prefix=run_prefix(output.uri, run.namespace, run.name, _spec_hash(run, spec)),
            storage=Storage.of(output),
            mlflow=_experiment(effective_tracking(spec, found.project).mlflow, run.namespace),
            progress=progress,
            **dict(spec.settings()),
        )


def effective_dataset(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> DataSource | None:
    """The files of the run's own data set, else its project's."""
    return spec.dataset.source(project.dataset if project else None)


def effective_output(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> Output | None:
    """The run's own output, else its project's."""
    return spec.output or (project.output if project else None)


def effective_base_model(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> BaseModel | None:
    """The run's own base model, else its project's preset; None for the default model."""
    return spec.base_model or (project.base_model if project else None)


def effective_tracking(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> Tracking:
    """The run's own, else its project's; an empty one for none."""
    return spec.tracking or (project and project.tracking) or Tracking()


def _experiment(server: MlflowServer | None, namespace: str) -> MlflowExperiment | None:
    if server is None:
        return None
    return MlflowExperiment(tracking_uri=server.tracking_uri, experiment=server.experiment or namespace)


def _spec_hash(run: RunIdentity, spec: TrainingRunSpec) -> str:
    fixed = spec.model_dump_json(exclude=set(TrainingRunSpec.MUTABLE))
    return spec_hash(fixed, run.uid)
