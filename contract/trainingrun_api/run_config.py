"""Everything the trainer needs to know, as one JSON value made by the operator or the command line."""

from typing import NamedTuple, Self

from .base import Model
from .dataset import DataSource
from .lineage import Ancestor, ResolvedBaseModel
from .names import HUB_TOKEN_VARIABLE, run_prefix, spec_hash
from .progress import RunIdentity
from .references import Endpoint, HuggingFaceOutput, ModelFormat, Output, Region
from .resolved_spec import ResolvedSpec
from .spec import RunSettings, TrainingRunSpec
from .tracking import MlflowServer


class HubModel(Model):
    """A model of the Hugging Face hub; a token is that of HF_TOKEN."""

    repo_id: str
    """Repository."""
    revision: str
    """Branch, tag or commit."""
    endpoint: str | None = None
    """URL of a mirror; huggingface.co when None."""


class HubTarget(Model):
    """Where the published model is pushed to; a token is that of HF_TOKEN_OUTPUT."""

    repo_id: str
    """Repository."""
    private: bool
    """Whether it must be private."""
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
    """How s3:// URIs are reached; credentials are elsewhere."""

    endpoint: Endpoint | None = None
    """URL of an S3-compatible server; AWS when None."""
    region: Region = "us-east-1"
    """Region of the bucket."""
    patience_seconds: int = 3600
    """Seconds that the store may be unavailable, or reject what it accepted before."""
    credentials_secret: str | None = None
    """Secret that has the keys, for messages; None when no Secret is named."""

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
    """An experiment of an MLflow server; credentials are elsewhere."""

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


class References(NamedTuple):
    """What a spec refers to, as found."""

    base_model: BaseModelSource = BaseModelSource()
    """Where training starts."""
    others: OtherDatasets = OtherDatasets()
    """The data sets beside the main one."""
    resume_from: str | None = None
    """URI of the results of the failed run that this one resumes."""


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
    """URI of the results of a failed run, from whose last checkpoint training continues."""
    output_prefix: str
    """URI under which all results of this run are kept."""
    storage: Storage
    """How s3:// URIs are reached."""
    formats: list[ModelFormat] = []
    """What the model is published as beside safetensors."""
    hub: HubTarget | None = None
    """Where the model is pushed to beside; None: nowhere."""
    mlflow: MlflowExperiment | None = None
    """Where curves and scores are logged; None: nowhere."""
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
    def of(
        cls,
        run: RunIdentity,
        model_name: str,
        spec: ResolvedSpec,
        found: References,
        hub_endpoint: str | None = None,
    ) -> Self:
        """The configuration of `run`; it reports progress nowhere. `hub_endpoint` is a mirror of the Hub."""
        sources = [
            source.from_hub(hub_endpoint, f"{HUB_TOKEN_VARIABLE}_{number}")
            for number, source in enumerate([spec.dataset, *found.others.all()])
        ]
        evaluation = sources.pop() if found.others.evaluation else None
        return cls(
            run=run,
            model_name=model_name,
            base_model=found.base_model,
            dataset=sources[0],
            additional_datasets=sources[1:],
            evaluation_dataset=evaluation,
            gpus_per_node=spec.own.resources.gpus_per_node,
            resume_from=found.resume_from,
            output_prefix=run_prefix(spec.output.uri, run.namespace, run.name, _spec_hash(run, spec.own)),
            storage=Storage.of(spec.output),
            formats=spec.output.formats,
            hub=_hub_target(spec.output.hugging_face, hub_endpoint),
            mlflow=_experiment(spec.tracking.mlflow, run.namespace),
            **dict(spec.own.settings()),
        )


def _hub_target(wanted: HuggingFaceOutput | None, endpoint: str | None) -> HubTarget | None:
    return HubTarget(repo_id=wanted.repo_id, private=wanted.private, endpoint=endpoint) if wanted else None


def _experiment(server: MlflowServer | None, namespace: str) -> MlflowExperiment | None:
    if server is None:
        return None
    return MlflowExperiment(tracking_uri=server.tracking_uri, experiment=server.experiment or namespace)


def _spec_hash(run: RunIdentity, spec: TrainingRunSpec) -> str:
    fixed = spec.model_dump_json(exclude=set(TrainingRunSpec.MUTABLE))
    return spec_hash(fixed, run.uid)
