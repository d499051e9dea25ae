"""Where training starts."""

from typing import ClassVar, Self

from pydantic import model_validator

from .base import Model, Rule
from .references import LocalObjectReference, StorageUri


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
