"""The operator's settings, read from its environment."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trainingrun_api import base_model as api
from trainingrun_api.names import PROGRESS_PATH
from trainingrun_api.pod_template import PodTemplate
from trainingrun_api.problems import problems
from trainingrun_api.references import Output

from .errors import ConfigurationError

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

Port = Annotated[int, Field(ge=0, le=65535)]


def _names(value: object) -> object:
    return (
        tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
    )


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _is_everywhere(model: api.BaseModel) -> api.BaseModel:
    if model.from_run is not None or (model.uri or "").startswith("file:"):
        raise ValueError("use a model that pods in every namespace can read: huggingFace, s3:// or pvc://")
    return model


def _is_no_folder(output: Output) -> Output:
    if output.uri.startswith("file:"):
        raise ValueError("use an object store: s3://bucket/prefix")
    return output


DefaultBaseModel = Annotated[api.BaseModel, AfterValidator(_is_everywhere)]
DefaultOutput = Annotated[Output, AfterValidator(_is_no_folder)]


class Settings(BaseModel):
    """Each field is the environment variable of the same name in upper case; an empty one counts as unset."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, alias_generator=str.upper)

    trainer_image: Annotated[str, Field(min_length=1)]
    """Image of the trainer pods; required."""

    trainer_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """imagePullPolicy of the trainer pods."""

    trainer_image_pull_secrets: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    """Names, separated by commas, of pull secrets that have to exist in each namespace with runs."""

    pod_namespace: Annotated[str, Field(min_length=1)]
    """The operator's own namespace. Default: that of its service account."""

    pod_name: Annotated[str, Field(min_length=1, default_factory=socket.gethostname)]
    """The operator's own pod, under whose name it holds the Lease of the leader. Default: the host's name."""

    service_name: Annotated[str, Field(min_length=1)] = "trainingrun-operator"
    """Service in front of the progress endpoint; its certificate is for <service>.<namespace>.svc. The Lease
    of the leader has the same name."""

    certificate_secret_name: Annotated[str, Field(min_length=1)] = "trainingrun-operator-tls"  # noqa: S105
    """Secret in the operator's namespace for the progress endpoint's certificates."""

    certificate_folder: Path | None = None
    """Folder with ca.crt, tls.crt and tls.key for the progress endpoint, in place of that Secret."""

    watch_namespaces: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    """Namespaces to watch, separated by commas. Default: all."""

    token_verification: Literal["Review", "Signature"] = "Review"  # noqa: S105
    """How tokens of trainer pods are verified: by TokenReviews, which need a right of the whole cluster, or
    with the keys that the API server publishes."""

    progress_url: str | None = None
    """URL that trainer pods post progress to. Default: https://<service>.<namespace>.svc<path>."""

    progress_port: Port = 8443
    """Port of the progress endpoint (HTTPS)."""

    metrics_port: Port = 8080
    """Port of /metrics and /healthz (HTTP)."""

    hub_endpoint: Annotated[str, Field(pattern=r"^https?://.+$")] | None = None
    """URL of a mirror of the Hugging Face Hub. Default: huggingface.co."""

    allow_pickled_models: bool = False
    """Read base models that have no safetensors from pytorch_model.bin."""

    default_base_model: Annotated[DefaultBaseModel | None, BeforeValidator(_json)] = None
    """Base model of runs that name none, in projects that name none, as JSON in the form of spec.baseModel.
    Default: the model in the trainer image."""

    default_output: Annotated[DefaultOutput | None, BeforeValidator(_json)] = None
    """Output of runs that name none, in projects that name none, as JSON in the form of spec.output.
    Default: none, and such a run fails."""

    default_pod_template: Annotated[PodTemplate | None, BeforeValidator(_json)] = None
    """Additions to all trainer pods, as JSON in the form of spec.podTemplate, which wins over them."""

    log_format: Literal["plain", "json"] = "json"
    """plain for people, json for log collectors."""

    log_level: Literal["debug", "info", "warning"] = "info"
    """Lowest level that is logged."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read them all. Raises ConfigurationError naming every variable that can't be used."""
        names = [name.upper() for name in cls.model_fields]
        values = {name: value for name in names if (value := environment.get(name))}
        if "POD_NAMESPACE" not in values and NAMESPACE_FILE.exists():
            values["POD_NAMESPACE"] = NAMESPACE_FILE.read_text().strip()
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(problems(error)) from error

    @property
    def server_name(self) -> str:
        """DNS name of the progress endpoint inside the cluster."""
        return f"{self.service_name}.{self.pod_namespace}.svc"

    @property
    def report_url(self) -> str:
        """Where trainer pods post their progress."""
        return self.progress_url or f"https://{self.server_name}{PROGRESS_PATH}"
