"""The resources: as a user writes them in a manifest, and as the API server has them."""

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from .base import Model
from .metadata import HOST_NAME, NO_HOST_NAME, SERVERS, Metadata, RunMetadata
from .names import PROJECT_PLURAL, RUN_PLURAL
from .spec import TrainingProjectSpec, TrainingRunSpec
from .status import TrainingRunStatus

ApiVersion = Literal["training.labelator.io/v1alpha1"]


class ApiObject(Model):
    """What all resources have."""

    api_version: ApiVersion = "training.labelator.io/v1alpha1"
    kind: str
    metadata: Metadata
    """Name, namespace, labels and annotations."""
    spec: Model

    @property
    def name(self) -> str:
        """What it is called; the start of that until the API server has completed it."""
        return self.metadata.name or self.metadata.generate_name or ""

    @property
    def manifest(self) -> dict[str, Any]:
        """What a user applies, as JSON values: no more than was set."""
        metadata = self.metadata.model_dump(mode="json", exclude_unset=True)
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {name: value for name, value in metadata.items() if name not in SERVERS},
            "spec": self.spec.model_dump(mode="json", exclude_unset=True),
        }


class TrainingRun(ApiObject):
    """One training of one text model."""

    kind: Literal["TrainingRun"] = "TrainingRun"
    metadata: RunMetadata
    """Name, namespace, labels and annotations."""
    spec: TrainingRunSpec
    """What is asked for."""
    status: TrainingRunStatus = TrainingRunStatus()
    """What became of it, which the operator writes."""

    PLURAL: ClassVar = RUN_PLURAL

    @model_validator(mode="after")
    def _names_a_service(self) -> Self:
        name = self.metadata.name or f"{self.metadata.generate_name}0"
        if self.spec.resources.nodes > 1 and not re.fullmatch(HOST_NAME, name):
            raise ValueError(NO_HOST_NAME)
        return self


class TrainingProject(ApiObject):
    """What the training runs of one team share."""

    kind: Literal["TrainingProject"] = "TrainingProject"
    spec: TrainingProjectSpec
    """What is shared."""

    PLURAL: ClassVar = PROJECT_PLURAL
