"""What the trainer is told by its environment."""

import os
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import ValidationError

from trainingrun_api.names import (
    CREDENTIALS_VARIABLE,
    MASTER_ADDRESS_VARIABLE,
    MASTER_PORT,
    MASTER_PORT_VARIABLE,
    MEMORY_LIMIT_VARIABLE,
    NODE_RANK_VARIABLE,
    NODES_VARIABLE,
    PROCESSES_VARIABLE,
    RUN_CONFIG_VARIABLE,
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


def secret_folder(name: str) -> Path | None:
    """Folder with the keys of a Secret; None where they aren't in files."""
    value = os.environ.get(CREDENTIALS_VARIABLE)
    folder = Path(value, name) if value else None
    return folder if folder is not None and folder.is_dir() else None


def memory_limit() -> int | None:
    """Bytes that the container may use; None where nobody says."""
    value = os.environ.get(MEMORY_LIMIT_VARIABLE)
    return int(value) if value else None


def rank() -> int | None:
    """Number of this process among those that torchrun's launcher has started; None where it hasn't."""
    value = os.environ.get("RANK")
    return int(value) if value else None


class ProcessLayout(NamedTuple):
    """The nodes of a run, and this one among them, by torchrun's own environment variables."""

    nodes: int = 1
    processes: int = 1
    """On each node: one a GPU, one alone on the CPU."""
    node: int = 0
    """Which one this is, from 0."""
    address: str = ""
    """Host name of node 0; "" where there is no other."""
    port: int = MASTER_PORT
    """That node 0 listens on."""

    @classmethod
    def from_environment(cls) -> Self:
        """As PET_NNODES and its like say; one process where nobody says. Raises SettingsError."""
        return cls(
            nodes=_number(NODES_VARIABLE, 1, least=1),
            processes=_number(PROCESSES_VARIABLE, 1, least=1),
            node=_number(NODE_RANK_VARIABLE, 0, least=0),
            address=os.environ.get(MASTER_ADDRESS_VARIABLE, ""),
            port=_number(MASTER_PORT_VARIABLE, MASTER_PORT, least=1),
        )

    @property
    def size(self) -> int:
        """Processes of all nodes."""
        return self.nodes * self.processes


def _number(variable: str, default: int, least: int) -> int:
    value = os.environ.get(variable, str(default))
    if not value.isdecimal() or int(value) < least:
        raise SettingsError(f"the environment variable {variable} is {value!r}: set it to {least} or more")
    return int(value)
