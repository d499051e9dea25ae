"""The settings that a model was trained with, by their paths in the spec."""

from collections.abc import Iterator
from typing import Any

from trainingrun_api.run_config import RunConfig

ELSEWHERE = {"run", "progress", "storage", "base_model", "output_prefix", "mlflow"}
"""What has no bearing on the model, or is no setting: what the base model came to is told beside them."""

PLACE = ".setting"
"""Where in the spec a data set is named, which the path says already."""


def settings_by_path(config: RunConfig) -> dict[str, str]:
    """Values as a person would write them; nothing for what is left open."""
    return dict(_flat(config.model_dump(mode="json", exclude=ELSEWHERE, exclude_none=True)))


def _flat(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, one in enumerate(value):
                yield from _flat(one, f"{path}{name}[{number}].")
        elif value != [] and not f"{path}{name}".endswith(PLACE):
            yield f"{path}{name}", _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(_written, value)) if isinstance(value, list) else str(value)
