"""What a file of labelled texts holds: its columns, which of them are text and label, and its labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet

from trainingrun_api.dataset import DatasetFiles, DataSource, ExportFormat
from trainingrun_api.labels import Labels
from trainingrun_client.errors import ClientError
from trainingrun_trainer.data import FetchedSource, LabelRules, Reading, Tally, Wanted
from trainingrun_trainer.data.cells import Answers, CellError, is_missing, labels
from trainingrun_trainer.data.exports import known_export, questions
from trainingrun_trainer.data.sources import Selection
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.records import SourceFile

TEXT_NAMES = ("text", "message", "body", "review", "comment", "content", "sentence", "question", "utterance")
LABEL_NAMES = (
    "label",
    "labels",
    "category",
    "class",
    "intent",
    "sentiment",
    "topic",
    "topics",
    "tag",
    "tags",
)
"""What people call their columns."""

MOST_LABELS = 256
"""Distinct values from which on a column holds no labels."""

LEAST_REPEATED = 2
"""Rows for each value on average, from which on a column may hold labels."""


@dataclass
class Column:
    """One column, or dotted path into objects."""

    name: str
    filled: int = 0
    """Rows where there is something."""
    characters: int = 0
    """Of all its texts together."""
    values: set[str] = field(default_factory=set)
    """Distinct labels that it would have, one more than a column of labels has at most."""
    texts: bool = True
    """Whether all that is there are texts."""
    several: bool = False
    """Whether a row has several values."""
    answers: bool = False
    """Whether it is what annotators chose, in an export of a labelling tool."""

    def add(self, value: object) -> None:
        """One more row."""
        if isinstance(value, Answers):
            self.answers = True
            for one in value.given[:1]:
                self.add(one)
        elif not is_missing(value):
            self._add(value)

    def _add(self, value: object) -> None:
        self.filled += 1
        self.texts = self.texts and isinstance(value, str)
        self.characters += len(value) if isinstance(value, str) else 0
        if len(self.values) > MOST_LABELS:
            return
        try:
            found = labels(value)
        except CellError:
            found = ()
        self.values.update(found)
        self.several = self.several or len(found) > 1

    @property
    def repeats(self) -> bool:
        """Whether it has few values, as labels and categories have."""
        return 1 < len(self.values) <= min(MOST_LABELS, self.filled // LEAST_REPEATED)


@dataclass(frozen=True)
class Survey:
    """The columns of a file, in its order."""

    path: Path
    rows: int
    columns: list[Column]
    format: ExportFormat | None = None
    """The labelling tool that exported the file."""

    def text(self) -> str | None:
        """The column that most likely holds the texts."""
        texts = [column for column in self.columns if column.texts and column.filled]
        longest = max(texts, key=lambda column: column.characters / column.filled, default=None)
        return _called(texts, TEXT_NAMES) or (longest.name if longest else None)

    def label(self, text: str) -> str | None:
        """The column that most likely holds the labels; None where that can't be told."""
        chosen = [column.name for column in self.columns if column.answers]
        few = [column for column in self.columns if column.name != text and column.repeats]
        words = [column for column in few if column.texts or column.several]
        if len(chosen) == 1:
            return chosen[0]
        return _called(few, LABEL_NAMES) or (words[0].name if len(words) == 1 else None)

    def context(self, text: str, label: str) -> list[str]:
        """Columns of categories beside them, which the model could read with the text."""
        return [one.name for one in self.columns if one.name not in {text, label} and one.repeats]


@dataclass(frozen=True)
class LabelSurvey:
    """The labels of a file."""

    counts: Counter[str]
    """Texts of each."""
    several: bool
    """Whether a text has several."""
    skipped: int
    """Rows without text or label, or whose annotators disagree."""


def survey(path: Path, label: str | None) -> Survey:
    """Look at all rows of a file; `label` is the field of the label, if it is known.

    Raises ClientError for a file that can't be read, or is empty.
    """
    plain = _survey(path, DatasetFiles(uri=path.resolve().as_uri()))
    fields = [column.name for column in plain.columns]
    tool = known_export(fields)
    if tool is None:
        return plain
    question = label or next(iter(questions(fields)), "label")
    return _survey(path, DatasetFiles(uri=path.resolve().as_uri(), label_field=question, format=tool))


def _survey(path: Path, files: DatasetFiles) -> Survey:
    columns: dict[str, Column] = {}
    rows = 0
    try:
        for row in Selection(_fetched(path, files), Tally("")).rows(_names(path)):
            rows += 1
            for name, value in row.fields():
                columns.setdefault(name, Column(name)).add(value)
    except TrainerError as error:
        raise ClientError(str(error)) from error
    if not rows:
        raise ClientError(f"{path}: there are no rows")
    return Survey(path, rows, list(columns.values()), files.format)


def survey_labels(found: Survey, text: str, label: str) -> LabelSurvey:
    """Read the texts and labels as training does. Raises ClientError as training would fail."""
    uri = found.path.resolve().as_uri()
    files = DatasetFiles(uri=uri, text_field=text, label_field=label, format=found.format)
    reading = Reading([_fetched(found.path, files)], Wanted(LabelRules(Labels()), one_label=None))
    try:
        several = [len(example.labels) > 1 for example in reading]
    except TrainerError as error:
        raise ClientError(str(error)) from error
    (tally,) = reading.tallies
    return LabelSurvey(tally.labels, any(several), tally.empty + tally.unlabelled + tally.disputed)


def _fetched(path: Path, files: DatasetFiles) -> FetchedSource:
    return FetchedSource(DataSource(**files.model_dump()), [SourceFile(str(path), path)])


def _names(path: Path) -> Sequence[str]:
    """Columns that have to be asked for."""
    if path.suffix.lower() != ".parquet":
        return ()
    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except (pyarrow.ArrowException, OSError) as error:
        raise ClientError(f"{path}: not a Parquet file that can be read ({error})") from error


def _called(columns: Sequence[Column], names: Sequence[str]) -> str | None:
    by_name = {column.name.lower().rpartition(".")[2]: column.name for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)
