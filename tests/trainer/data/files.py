"""Files of data sets, written and read again."""

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from trainingrun_api.dataset import DataSource
from trainingrun_api.labels import Labels
from trainingrun_trainer.data import FetchedSource, LabelRules, Reading, Wanted
from trainingrun_trainer.records import Example, SourceFile

ALL_LABELS = Labels()
ONE_LABEL = "here each text has one; correct it"


def reading(
    path: Path,
    *others: Path,
    several_labels: bool = False,
    context: tuple[str, ...] = (),
    labels: Labels = ALL_LABELS,
    **fields: Any,
) -> Reading:
    files = [SourceFile(f"s3://data/{file.name}", file) for file in (path, *others)]
    source = FetchedSource(DataSource(uri=files[0].uri, **fields), files)
    return Reading([source], Wanted(LabelRules(labels), None if several_labels else ONE_LABEL, context))


def read(path: Path, content: str | bytes | None = None, **options: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Texts with their labels."""
    return [(example.text, example.labels) for example in examples(path, content, **options)]


def examples(path: Path, content: str | bytes | None = None, **options: Any) -> list[Example]:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(reading(path, **options))


def read_table(path: Path, columns: dict[str, Any], **options: Any) -> list[tuple[str, tuple[str, ...]]]:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return [(example.text, example.labels) for example in reading(path, **options)]
