"""From a file of labelled texts to a manifest: by options, questions and guesses."""

import sys
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from trainingrun_api.metadata import RunMetadata
from trainingrun_api.visible import visible
from trainingrun_client.errors import ClientError

from .data_survey import Survey, survey, survey_labels
from .new_manifest import NewManifest, manifest_name

USUAL_STORE = "s3://my-bucket"
"""To be replaced by a person."""


class Choices(NamedTuple):
    """What is said by options; None for what is asked for or guessed."""

    name: str | None
    text_field: str | None
    label_field: str | None
    store: str | None


def new_manifest(data: Path, choices: Choices) -> str:
    """A manifest for this file. Raises ClientError for one that can't be trained on."""
    found = survey(data, choices.label_field)
    text = choices.text_field or _field("text", found.text(), found)
    label = choices.label_field or _field("label", found.label(text), found)
    labels = survey_labels(found, text, label)
    name = choices.name or _asked("Name of the run", manifest_name(data))
    store = choices.store or _asked("Bucket, or folder in it, of data and results", USUAL_STORE)
    manifest = NewManifest(
        name=_valid(name),
        data=data,
        rows=found.rows,
        store=store.rstrip("/"),
        format=found.format,
        text=text,
        label=label,
        labels=labels,
        context=found.context(text, label),
    )
    return "\n".join([*manifest.lines(), ""])


def write(text: str, path: Path) -> None:
    """Write a new file. Raises ClientError when it is there already, or can't be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ClientError(f"{path} exists already; name another file") from None
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error


def _field(what: str, guess: str | None, found: Survey) -> str:
    fields = ", ".join(column.name for column in found.columns)
    if chosen := _asked(f"Field with the {what}, of {fields}", guess or ""):
        return chosen
    raise ClientError(f"{found.path}: name the field with the {what} in --{what}-field, of {fields}")


def _asked(question: str, guess: str) -> str:
    """The answer from a terminal, else the guess; the question doesn't go where the manifest goes."""
    if not sys.stdin.isatty():
        return guess
    default = f" [{guess}]" if guess else ""
    print(f"{visible(question + default)}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() or guess


def _valid(name: str) -> str:
    try:
        RunMetadata(name=name)
    except ValidationError as error:
        raise ClientError(f"--name {name}: {error.errors()[0]['ctx']['error']}") from error
    return name
