"""What a run was started with: all that its Jobs are made of beside its own spec."""

import hashlib
import json
from typing import Any, Self

from .base import FreeForm, Model


class SecretNames(Model):
    """Secrets that the trainer reads."""

    storage: str | None = None
    """Secret with credentials for the object store."""
    hub: str | None = None
    """Secret with a token for the Hugging Face Hub, for the base model."""
    datasets: dict[str, str] = {}
    """Secrets with tokens for the Hugging Face Hub, for data sets, by the name of the folder that the trainer
    finds them in."""
    push: str | None = None
    """Secret with a token for the Hugging Face Hub, to push the model."""
    mlflow: str | None = None
    """Secret with credentials for the MLflow server."""


class StartedWith(Model):
    """What a run was started with. Each of its Jobs is built from it, even after project, base model or
    operator have changed."""

    digest: str
    """SHA-256 of the other fields, as JSON with sorted keys."""
    image: str
    """Image of the trainer."""
    config: FreeForm
    """Configuration of the trainer, except where it reports progress: all settings, including those of the
    project and defaults, and the locations of data, base model and output."""
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
