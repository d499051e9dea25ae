"""What the trainer is told by its environment."""

import os
from pathlib import Path

from pydantic import ValidationError

from trainingrun_api.names import (
    MEMORY_LIMIT_VARIABLE,
    RUN_CONFIG_VARIABLE,
    STORAGE_KEYS_VARIABLE,
    TERMINATION_MESSAGE_PATH,
)
from trainingrun_api.problems import problems
from trainingrun_api.run_config import RunConfig

from .errors import SettingsError

TERMINATION_PATH_VARIABLE = "TRAININGRUN_TERMINATION_PATH"
"""Environment variable that names another file for the termination message."""


def run_config() -> RunConfig:
    """The RunConfig in the environment. Raises SettingsError that names each field at fault."""
    value = os.environ.get(RUN_CONFIG_VARIABLE)
    if value is None:
        raise SettingsError(
            f"the environment variable {RUN_CONFIG_VARIABLE} is missing: set it to a RunConfig"
        )
    try:
        return RunConfig.model_validate_json(value)
    except ValidationError as error:
        raise SettingsError(f"{RUN_CONFIG_VARIABLE}: {'; '.join(problems(error))}") from None


def termination_path() -> Path:
    """Where the termination message goes."""
    return Path(os.environ.get(TERMINATION_PATH_VARIABLE, TERMINATION_MESSAGE_PATH))


def storage_keys() -> Path | None:
    """Folder of the object store's keys; None where they aren't in files."""
    value = os.environ.get(STORAGE_KEYS_VARIABLE)
    return Path(value) if value else None


def memory_limit() -> int | None:
    """Bytes that the container may use; None where nobody says."""
    value = os.environ.get(MEMORY_LIMIT_VARIABLE)
    return int(value) if value else None
