"""What a resource is called, by the rules of the API server and in its words."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, model_validator

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

HOST_NAME = "^[a-z]([-a-z0-9]*[a-z0-9])?$"
NO_HOST_NAME = (
    "metadata.name has to begin with a letter and can't contain a dot if resources.nodes is above 1: "
    "a Service and the host names of pods are named after it"
)
NAMES_A_SERVICE = validation(
    f"self.spec.resources.nodes == 1 || self.metadata.name.matches('{HOST_NAME}')", NO_HOST_NAME
)

SUFFIX_LENGTH = 5
"""Characters that the API server appends to a generateName."""


def _subdomain(name: str) -> str:
    if not re.fullmatch(SUBDOMAIN, name):
        raise ValueError(f"{NO_SUBDOMAIN}, not {name!r}")
    if len(name) > 253:
        raise ValueError("must be no more than 253 characters")
    return name


def _start_of_subdomain(start: str) -> str:
    if start:
        _subdomain(f"{start}0")
    return start


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


def _with_room_for_a_suffix(start: str) -> str:
    if len(start) > MAX_RUN_NAME_LENGTH - SUFFIX_LENGTH:
        raise ValueError(
            f"must be no more than {MAX_RUN_NAME_LENGTH - SUFFIX_LENGTH} characters: {SUFFIX_LENGTH} are "
            "appended, and pods are named after the result"
        )
    return start


SERVERS = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Fields of metadata that the API server writes, and takes from nobody."""


class Metadata(Model):
    """Names, labels and annotations, and whatever else the API server knows and judges itself."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, AfterValidator(_subdomain)] | None = None
    """Name of the resource."""

    generate_name: Annotated[str, AfterValidator(_start_of_subdomain)] | None = None
    """Start of the name, which the API server completes."""

    namespace: Annotated[str, AfterValidator(_label)] | None = None
    """Its namespace. Default: that of the context."""

    labels: dict[str, str] = {}
    """Labels, to select resources by."""

    annotations: dict[str, str] = {}
    """Annotations, for people and tools."""

    creation_timestamp: str | None = None
    """When the API server created it, RFC 3339."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not self.name and not self.generate_name:
            raise ValueError("name or generateName is required")
        return self


class RunMetadata(Metadata):
    """Of a TrainingRun, whose pods are named after it: ROOM_FOR_PODS in Python."""

    name: Annotated[str, AfterValidator(_subdomain), AfterValidator(_with_room_for_pods)] | None = None
    """Name of the run."""

    generate_name: (
        Annotated[str, AfterValidator(_start_of_subdomain), AfterValidator(_with_room_for_a_suffix)] | None
    ) = None
    """Start of the run's name, which the API server completes."""
