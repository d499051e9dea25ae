"""What a resource is called, by the rules of the API server and in its words."""

import re
from typing import Annotated

from pydantic import AfterValidator, ConfigDict

from .base import NAMESPACE, Model
from .names import MAX_RUN_NAME_LENGTH
from .rules import validation

SUBDOMAIN = rf"{NAMESPACE}(\.{NAMESPACE})*"
NO_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
NO_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
TOO_LONG = f"must be no more than {MAX_RUN_NAME_LENGTH} characters: pods are named after it"
ROOM_FOR_PODS = validation(f"size(self.metadata.name) <= {MAX_RUN_NAME_LENGTH}", f"metadata.name {TOO_LONG}")

_HOST_NAME = "^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAMES_A_SERVICE = validation(
    f"self.spec.resources.nodes == 1 || self.metadata.name.matches('{_HOST_NAME}')",
    "metadata.name has to begin with a letter and can't contain a dot if resources.nodes is above 1: "
    "a Service and the host names of pods are named after it",
)


def _subdomain(name: str) -> str:
    if not re.fullmatch(SUBDOMAIN, name):
        raise ValueError(f"{NO_SUBDOMAIN}, not {name!r}")
    if len(name) > 253:
        raise ValueError("must be no more than 253 characters")
    return name


def _label(name: str) -> str:
    if not re.fullmatch(NAMESPACE, name):
        raise ValueError(f"{NO_LABEL}, not {name!r}")
    if len(name) > 63:
        raise ValueError("must be no more than 63 characters")
    return name


def _with_room_for_pods(name: str) -> str:
    if len(name) > MAX_RUN_NAME_LENGTH:
        raise ValueError(TOO_LONG)
    return name


class Metadata(Model):
    """Name and namespace; labels and annotations are for the API server to judge."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, AfterValidator(_subdomain)]
    """Name of the resource."""

    namespace: Annotated[str, AfterValidator(_label)] | None = None
    """Its namespace. Default: that of the context."""


class RunMetadata(Metadata):
    """Of a TrainingRun, whose pods are named after it: ROOM_FOR_PODS in Python."""

    name: Annotated[str, AfterValidator(_subdomain), AfterValidator(_with_room_for_pods)]
    """Name of the run."""
