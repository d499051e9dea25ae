"""What training starts from: checkpoints of anything else are of no use to it."""

import hashlib
import json
from typing import Self

from pydantic import JsonValue

from trainingrun_api.base import Model

from ..records import RunRecord

DIGITS = 12


class Origin(Model):
    """Settings, data and base model of a run; the same one leads to the same weights."""

    settings: dict[str, JsonValue]
    """Those other than the defaults, as the spec has them; without how often a checkpoint is made."""
    sources: list[dict[str, JsonValue]]
    """Where the data sets are, and which fields are read."""
    dataset_sha256: str | None
    """Fingerprint of their files."""
    base_model: str | None
    """Fingerprint of the base model's files."""

    @classmethod
    def of(cls, made_of: RunRecord) -> Self:
        """That of a run whose data and base model have been read."""
        config = made_of.config
        settings = config.settings().model_dump(mode="json", exclude_defaults=True)
        settings.get("training", {}).pop("checkpoint", None)
        return cls(
            settings=settings,
            sources=[source.model_dump(mode="json", exclude_defaults=True) for source in config.all_sources],
            dataset_sha256=made_of.dataset_sha256,
            base_model=made_of.base_model.digest if made_of.base_model else None,
        )

    @property
    def digest(self) -> str:
        """Hex digits that differ for another origin."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]

    def changes(self, before: "Origin") -> list[str]:
        """What is other than it was `before`, as a user knows it."""
        here, there = _flat(self.settings, "spec"), _flat(before.settings, "spec")
        settings = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
        parts = {
            "the data sets' places or fields": self.sources != before.sources,
            "the data sets' content": self.dataset_sha256 != before.dataset_sha256,
            "the base model": self.base_model != before.base_model,
        }
        return settings + [name for name, changed in parts.items() if changed]


def _flat(value: JsonValue, path: str) -> dict[str, JsonValue]:
    """Values by their paths."""
    if not isinstance(value, dict):
        return {path: value}
    flat: dict[str, JsonValue] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{path}.{name}")
    return flat
