"""The operator's settings, read from its environment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trainingrun_api import base_model as api
from trainingrun_api.names import PROGRESS_PATH
from trainingrun_api.problems import problems

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
        raise ValueError("name a model that pods of each namespace can read: huggingFace, s3:// or pvc://")
    return model


DefaultBaseModel = Annotated[api.BaseModel, AfterValidator(_is_everywhere)]


class Settings(BaseModel):
    """Each field is the environment variable of the same name in capitals; an empty one counts as not set."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, alias_generator=str.upper)

    trainer_image: Annotated[str, Field(min_length=1)]
    """Image of the trainer pods; required."""

    trainer_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """imagePullPolicy of the trainer pods."""

    trainer_image_pull_secrets: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    """Names, separated by commas, of pull secrets that each namespace with runs holds."""

    pod_namespace: Annotated[str, Field(min_length=1)]
    """The operator's own namespace; taken from the service account when not set."""

    service_name: Annotated[str, Field(min_length=1)] = "trainingrun-operator"
    """Service in front of the progress endpoint; its certificate is for <service>.<namespace>.svc."""

    certificate_secret_name: Annotated[str, Field(min_length=1)] = "trainingrun-operator-tls"  # noqa: S105
    """Secret of the operator's namespace that keeps the progress endpoint's certificates."""

    watch_namespaces: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    """Namespaces to serve, separated by commas; all of the cluster when not set."""

    progress_url: str | None = None
    """URL that trainer pods post progress to; https://<service>.<namespace>.svc<path> when not set."""

    progress_port: Port = 8443
    """Port of the progress endpoint (HTTPS)."""

    metrics_port: Port = 8080
    """Port of /metrics and /healthz (HTTP)."""

    hub_endpoint: Annotated[str, Field(pattern=r"^https?://.+$")] | None = None
    """URL of a mirror of the Hugging Face hub; huggingface.co when not set."""

    allow_pickled_models: bool = False
    """true: base models without safetensors are read from pytorch_model.bin."""

    default_base_model: Annotated[DefaultBaseModel | None, BeforeValidator(_json)] = None
    """Where runs start that name no base model and whose project presets none, as JSON in the form of
    spec.baseModel; the model in the trainer image when not set."""

    log_format: Literal["plain", "json"] = "json"
    """plain for people, json for log collectors."""

    log_level: Literal["debug", "info", "warning"] = "info"
    """Least level that is logged."""

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
