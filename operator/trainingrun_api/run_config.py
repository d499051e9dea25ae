"""Everything the trainer needs to know, as one JSON value made by the operator or the command line."""

from typing import Annotated

from pydantic import Field

from .base import Model
from .progress import RunIdentity
from .spec import DatasetFiles, TaskType, Training


class BaseModelSource(Model):
    """Where the base model is read from; neither field: the default model of the trainer image."""

    uri: str | None = None
    """Folder in Hugging Face or sentence-transformers format."""
    from_run: str | None = None
    """The earlier run whose published model `uri` is."""


class Storage(Model):
    """How s3:// URIs are reached; credentials come from the environment."""

    endpoint: str | None = None
    """URL of an S3-compatible server; AWS when None."""
    region: str = "us-east-1"
    """Region of the bucket."""


class ProgressEndpoint(Model):
    """Where progress is posted, and by which identity."""

    url: str
    """HTTPS URL of the operator."""
    ca_certificate: str
    """PEM of the certificate authority that signed the operator's certificate."""
    token_path: str
    """File with the pod-bound token; read anew for each report, since it is rotated."""


class RunConfig(Model):
    """One training, with all references resolved."""

    run: RunIdentity
    """The TrainingRun."""
    model_name: str
    """Name in the model card."""
    task_type: TaskType
    """What the model learns."""
    base_model: BaseModelSource = BaseModelSource()
    """Where training starts."""
    dataset: DatasetFiles
    """Texts to learn from."""
    skip_duplicates: bool
    """Leave out texts that occur again."""
    train_percent: Annotated[int, Field(ge=50, le=95)]
    """Share of the texts that is trained on."""
    training: Training
    """How the model is fine-tuned."""
    output_prefix: str
    """URI under which all results of this run are kept."""
    storage: Storage
    """How s3:// URIs are reached."""
    progress: ProgressEndpoint | None = None
    """Where progress is posted; None: nowhere (a run without a cluster)."""
