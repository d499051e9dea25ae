"""What a run was started with: all that its Jobs are made of beside its own spec."""

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import Field

from .base import Model

FreeForm = Annotated[
    dict[str, Any],
    Field(
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-map-type": "atomic"}
    ),
]
"""An object as it was written, whatever this version knows of it."""


class SecretNames(Model):
    """Secrets that the trainer reads."""

    storage: str | None = None
    """With credentials for the object store."""
    hub: str | None = None
    """With a token for the Hugging Face Hub, for the base model."""
    datasets: dict[str, str] = {}
    """With tokens for the Hugging Face Hub, for data sets: by the variable that the trainer reads."""
    mlflow: str | None = None
    """With credentials for the MLflow server."""


class StartedWith(Model):
    """What a run was started with. It holds for each of its Jobs, whatever the project, the base model and
    the operator are like by then."""

    digest: str
    """SHA-256 over the rest, as JSON with sorted keys."""
    image: str
    """Image of the trainer."""
    config: FreeForm
    """What the trainer is told, but for how it reports progress: all settings, those of the project and
    defaults among them; where the data, the base model and the output are."""
    secrets: SecretNames = SecretNames()
    """Secrets that the trainer reads."""

    @classmethod
    def of(cls, image: str, config: dict[str, Any], secrets: SecretNames) -> Self:
        """With its digest."""
        rest = {"image": image, "config": config, "secrets": secrets.model_dump(exclude_none=True)}
        text = json.dumps(rest, sort_keys=True)
        # As the API server gives it back: 1.0 as 1.
        stored = json.loads(text, parse_float=_number)
        digest = hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()
        return cls(digest=digest, image=image, config=stored["config"], secrets=secrets)

    @property
    def output_prefix(self) -> str:
        """URI under which all results of the run are kept."""
        return str(self.config["outputPrefix"])


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number
