"""Exports of labelling tools: rows with the answers of their annotators, whatever the layout of the file."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from xxhash import xxh3_128_digest

from trainingrun_api.dataset import DataSource, ExportFormat

from ..errors import DataError
from . import cells
from .cells import Answers, CellError, is_missing
from .rows import Row, listed, value_of

DATA, ANNOTATIONS = "data", "annotations"
"""Fields of a task of Label Studio's JSON."""

ID, ANNOTATION_ID, LEAD_TIME = "id", "annotation_id", "lead_time"
OF_ANNOTATION = {ID, ANNOTATION_ID, LEAD_TIME, "annotator", "created_at", "updated_at"}
"""Columns of its JSON-MIN and CSV, which have a row for each annotation, and one for a task without any."""

RESPONSES, STATUS, SUBMITTED = ".responses", ".responses.status", "submitted"
"""Ends of the columns of a question in Argilla's data sets, and how they mark what was handed in."""

OF_QUESTION = re.compile(r"\.(responses(\.users|\.status)?|suggestion(\.score|\.agent)?)$")
"""Their columns that say what annotators or models answered."""


FileOfRows = Callable[[], Iterator[Row]]
"""Reads a file from its start."""


def answered(source: DataSource, files: Sequence[FileOfRows]) -> Iterator[Row]:
    """Rows of files as the data set's format has them: one for each text, with the answers about it.

    Raises DataError for a file that is no such export.
    """
    if source.format is ExportFormat.DOCCANO:
        return _examples(source, files)
    return chain.from_iterable(_of_file(source, read()) for read in files)


def _of_file(source: DataSource, rows: Iterator[Row]) -> Iterator[Row]:
    match source.format:
        case ExportFormat.LABEL_STUDIO:
            return _tasks(source, rows)
        case ExportFormat.ARGILLA:
            return (_record(source, row) for row in rows)
    return rows


def columns(source: DataSource) -> Sequence[str]:
    """Fields that are needed to find the answers."""
    match source.format:
        case ExportFormat.LABEL_STUDIO:
            return (DATA, ANNOTATIONS, ID, ANNOTATION_ID)
        case ExportFormat.ARGILLA:
            return (source.label_field + RESPONSES, source.label_field + STATUS)
        case ExportFormat.DOCCANO:
            return (ID,)
    return ()


def known_export(fields: Collection[str]) -> ExportFormat | None:
    """The tool whose exports have such fields."""
    return next((tool for tool, has_signs in SIGNS.items() if has_signs(fields)), None)


def questions(fields: Iterable[str]) -> list[str]:
    """The questions of a data set of Argilla's."""
    return [name.removesuffix(STATUS) for name in fields if name.endswith(STATUS)]


def unread_export(source: DataSource, fields: Collection[str]) -> str:
    """What to set where a file with such fields is an export that is read as plain rows; "" otherwise."""
    tool = None if source.format else known_export(fields)
    advice = "This looks like an export of a labelling tool: set"
    return f"{advice} {source.setting}.format to {tool}" if tool else ""


SIGNS: Mapping[ExportFormat, Callable[[Collection[str]], bool]] = {
    ExportFormat.LABEL_STUDIO: lambda fields: (
        (ANNOTATIONS in fields and any(name.startswith(f"{DATA}.") for name in fields))
        or {ID, ANNOTATION_ID, LEAD_TIME}.issubset(fields)
    ),
    ExportFormat.ARGILLA: lambda fields: bool(questions(fields)),
}
"""By which fields an export is known."""


def _tasks(source: DataSource, rows: Iterable[Row]) -> Iterator[Row]:
    for task, annotations in groupby(rows, lambda row: _task_id(source, row)):
        if task is None:
            yield from (_whole_task(source, row) for row in annotations)
        else:
            yield _task_of(source, list(annotations))


def _task_id(source: DataSource, row: Row) -> str | None:
    """What the rows of one task have in common; None of a row that is a whole task."""
    if ANNOTATIONS in row.values:
        return None
    if ANNOTATION_ID not in row.values:
        raise DataError(
            f"{row.place}: not an export of Label Studio, which has {ANNOTATIONS!r} or {ANNOTATION_ID!r}; "
            f"there are {listed(row.names())}. Leave out {source.setting}.format"
        )
    return str(row.values.get(ID, row.place))


def _whole_task(source: DataSource, row: Row) -> Row:
    """A task with all of its annotations: the fields of its data, and what was chosen under each control."""
    data, annotations = row.values.get(DATA), row.values[ANNOTATIONS]
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise DataError(
            f"{row.place}: not a task of Label Studio, which has an object {DATA!r} and a list "
            f"{ANNOTATIONS!r}"
        )
    answers: defaultdict[str, list[Any]] = defaultdict(list)
    for annotation in annotations:
        for control, chosen in _choices(annotation).items():
            answers[control].append(chosen[0] if len(chosen) == 1 else chosen)
    told = {control: Answers(tuple(given)) for control, given in answers.items()}
    return Row(row.place, {**_without_label(source, data), **told})


def _choices(annotation: Any) -> dict[str, list[Any]]:
    """What an annotator chose under each control; nothing where the task was skipped."""
    chosen: defaultdict[str, list[Any]] = defaultdict(list)
    match annotation:
        case {"was_cancelled": True}:
            return {}
        case {"result": [*results]}:
            for result in results:
                match result:
                    case {"from_name": str(control), "value": {"choices": _} as value}:
                        chosen[control].append(value)
    return chosen


def _task_of(source: DataSource, annotations: Sequence[Row]) -> Row:
    """A task of which each row is an annotation: what they have in common, and the label that each gives."""
    first = annotations[0]
    shared = {
        name: value
        for name, value in _without_label(source, first.values).items()
        if name not in OF_ANNOTATION and all(other.values.get(name) == value for other in annotations)
    }
    given = tuple(
        row.values[source.label_field]
        for row in annotations
        if source.label_field in row.values and not is_missing(row.values[ANNOTATION_ID])
    )
    return Row(first.place, {**shared, **({source.label_field: Answers(given)} if given else {})})


def _without_label(source: DataSource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Data may have a field of the control's name, which is no annotation."""
    return {name: value for name, value in values.items() if name != source.label_field}


def _record(source: DataSource, row: Row) -> Row:
    """A record of Argilla's, with what annotators handed in under the name of the question."""
    question = source.label_field
    values, status = (_list(source, row, question + end) for end in (RESPONSES, STATUS))
    if len(values) != len(status):
        raise DataError(f"{row.place}: {question + RESPONSES!r} and {question + STATUS!r} differ in length")
    handed_in = tuple(value for value, state in zip(values, status, strict=True) if state == SUBMITTED)
    return row._replace(
        values={**_without_answers(row.values), question: Answers(handed_in)},
        others=lambda: _without_answers(row.others()),
    )


def _examples(source: DataSource, files: Sequence[FileOfRows]) -> Iterator[Row]:
    """Examples of doccano's, each where it stands first, with the labels that the files give it.

    The files are read twice, so that only labels are in memory, and no texts.
    """
    answers: defaultdict[bytes, list[Any]] = defaultdict(list)
    for row in _in_turn(files):
        answers[_example(source, row)].append(value_of(row, source.label_field))
    for row in _in_turn(files):
        given = answers.pop(_example(source, row), None)
        if given is not None:
            yield row._replace(values={**row.values, source.label_field: Answers(tuple(given))})


def _in_turn(files: Sequence[FileOfRows]) -> Iterator[Row]:
    return chain.from_iterable(read() for read in files)


def _example(source: DataSource, row: Row) -> bytes:
    """What the rows of one example have in common: other projects may count theirs alike."""
    if ID not in row.values:
        raise DataError(
            f"{row.place}: not an export of doccano, which has {ID!r}; there are {listed(row.names())}. "
            f"Leave out {source.setting}.format"
        )
    return xxh3_128_digest(repr((row.values[ID], value_of(row, source.text_field))).encode())


def _without_answers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not OF_QUESTION.search(name)}


def _list(source: DataSource, row: Row, field: str) -> list[Any]:
    if field not in row.values:
        raise DataError(
            f"{row.place}: field {field!r} is missing; there are {listed(row.names())}. Name the question in "
            f"{source.setting}.labelField"
        )
    try:
        return cells.items(row.values[field])
    except CellError as held:
        raise DataError(
            f"{row.place}: field {field!r} holds {held} where a list belongs; export the data set as JSON "
            "Lines or Parquet"
        ) from None
