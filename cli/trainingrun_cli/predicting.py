"""Texts from wherever they are, and what a model says of each."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from trainingrun_api.dataset import DataSource
from trainingrun_client.errors import ClientError
from trainingrun_trainer.data import SUFFIXES, FetchedSource, Tally
from trainingrun_trainer.data.rows import text_of, value_as_text
from trainingrun_trainer.data.sources import Selection
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.records import SourceFile

from .prediction import PublishedModel, TextInContext

AT_ONCE = 1000
"""Texts that are read and labelled before the first is told."""


def predictions(
    model: PublishedModel, texts: Iterable[TextInContext], threshold: float | None
) -> Iterator[dict[str, Any]]:
    """Of each text its labels and the scores of all; with a `threshold` also whether it is unknown, since no
    label reaches that.

    Raises ClientError for a model that can't be loaded.
    """
    waiting = iter(texts)
    while batch := list(islice(waiting, AT_ONCE)):
        for one, scores in zip(batch, model.scores(batch), strict=True):
            labels = model.given(scores, threshold or 0.0)
            unknown = {} if threshold is None else {"unknown": not labels}
            yield {"text": one.text, "labels": labels, **unknown, "scores": scores}


def in_one_context(
    texts: Iterable[str], model: PublishedModel, context: Mapping[str, str]
) -> Iterator[TextInContext]:
    """All of them beside the same context. Raises ClientError for a context that the model doesn't read."""
    if unknown := sorted(context.keys() - set(model.context_names)):
        reads = ", ".join(model.context_names) or "no context"
        raise ClientError(f"--context {unknown[0]}: this model reads {reads}")
    return (TextInContext(text, context) for text in texts)


def in_file(
    path: Path, field: str, model: PublishedModel, context: Mapping[str, str]
) -> Iterator[TextInContext]:
    """The texts of a file: in a field of each row, with the fields that the model reads as context; or one in
    each line, all in the same context.

    Raises ClientError for a file that can't be read.
    """
    if not path.name.lower().endswith(SUFFIXES):
        return in_one_context(_lines(path), model, context)
    if context:
        raise ClientError(f"--context: of each row of {path}, its own fields are taken; leave it out")
    return _rows(path, field, model.context_names)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ClientError(f"{path}: not valid UTF-8; save the file as UTF-8") from error


def _rows(path: Path, field: str, context: list[str]) -> Iterator[TextInContext]:
    file = FetchedSource(DataSource(uri=path.resolve().as_uri()), [SourceFile(str(path), path)])
    try:
        for row in Selection(file, Tally("")).rows([field, *context]):
            values = {name: value_as_text(row, name, "the file") for name in context}
            yield TextInContext(text_of(row, field, "--field"), values)
    except TrainerError as error:
        raise ClientError(str(error)) from error
