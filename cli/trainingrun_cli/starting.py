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


class Choices(NamedTuple):
    """What is said by options; None for what is asked for or guessed."""

    name: str | None
    text_field: str | None
    label_field: str | None
    store: str


def new_manifest(data: Path, choices: Choices) -> str:
    """A manifest for this file. Raises ClientError for one that can't be trained on."""
    found = survey(data)
    text = choices.text_field or _chosen("text", found.text(), found)
    label = choices.label_field or _chosen("label", found.label(text), found)
    manifest = NewManifest(
        name=_valid(choices.name or manifest_name(data)),
        data=data,
        rows=found.rows,
        store=choices.store.rstrip("/"),
        text=text,
        label=label,
        labels=survey_labels(data, text, label),
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


def _chosen(what: str, guess: str | None, found: Survey) -> str:
    fields = ", ".join(column.name for column in found.columns)
    answer = _asked(f"Field with the {what}, of {fields}", guess) if sys.stdin.isatty() else ""
    if chosen := answer or guess:
        return chosen
    raise ClientError(f"{found.path}: name the field with the {what} in --{what}-field, of {fields}")


def _asked(question: str, guess: str | None) -> str:
    """The answer to a question, which doesn't go where the manifest goes."""
    default = f" [{guess}]" if guess else ""
    print(f"{visible(question + default)}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _valid(name: str) -> str:
    try:
        RunMetadata(name=name)
    except ValidationError as error:
        raise ClientError(f"--name {name}: {error.errors()[0]['ctx']['error']}") from error
    return name
