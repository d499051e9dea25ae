"""A trainer of the user's own."""

from typing import Annotated

from pydantic import Field

from .base import Model

Argument = Annotated[str, Field(max_length=8192)]


class CustomTrainer(Model):
    """An image that trains in place of the operator's trainer. It finds all settings of the run as JSON in
    TRAININGRUN_CONFIG, and ends with the exit codes of the trainer."""

    image: Annotated[str, Field(min_length=1, max_length=1024)]
    """Image of the container."""

    command: Annotated[list[Argument], Field(max_length=64)] = []
    """Command of the container. Default: the image's entrypoint."""

    args: Annotated[list[Argument], Field(max_length=256)] = []
    """Arguments of the command. Default: those of the image."""
