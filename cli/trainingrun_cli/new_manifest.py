"""A manifest for a file of labelled texts, with comments on what to change."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from trainingrun_api.dataset import ExportFormat
from trainingrun_api.names import API_VERSION, MAX_RUN_NAME_LENGTH, REQUIRED_STORAGE_KEYS, RUN_KIND
from trainingrun_api.tasks import TaskType
from trainingrun_api.visible import visible

from .data_survey import LabelSurvey

MOST_LISTED = 20
"""Labels that the comment lists."""


PLAIN = re.compile(r"[\w./][\w./:-]*")
"""What needs no quotes, unless YAML takes it for a number, or the like."""


@dataclass(frozen=True)
class NewManifest:
    """What is known of the run."""

    name: str
    data: Path
    rows: int
    store: str
    """URI of the bucket or folder in it that has the data and gets the results."""
    format: ExportFormat | None
    """The labelling tool that exported the data."""
    text: str
    label: str
    labels: LabelSurvey
    context: Sequence[str]
    """Other columns that the model could read."""

    def lines(self) -> Iterator[str]:
        """The manifest in YAML."""
        yield from self._comment()
        yield f"apiVersion: {API_VERSION}"
        yield f"kind: {RUN_KIND}"
        yield "metadata:"
        yield f"  name: {_scalar(self.name)}"
        yield "spec:"
        if self.labels.several:
            yield f"  taskType: {TaskType.MULTI_LABEL_CLASSIFICATION} # texts have any number of labels"
        yield "  dataset:"
        yield f"    uri: {_scalar(f'{self.store}/{self.data.name}')} # a copy of the file, for the cluster"
        if self.format:
            yield f"    format: {self.format} # labels are what most annotators chose"
        yield f"    textField: {_scalar(self.text)}"
        yield f"    labelField: {_scalar(self.label)}"
        if self.context:
            columns = ", ".join(map(_scalar, self.context))
            yield f"  # contextParameters: [{columns}] # columns that the model reads with the text"
        yield "  # training:"
        yield "  #   maxEpochs: 5 # at most; training stops early when it doesn't help"
        yield "  #   finalFit: true # at the end, fit the model on all texts"
        yield "  # resources:"
        yield "  #   gpusPerNode: 1"
        yield "  output:"
        yield f"    uri: {_scalar(f'{self.store}/runs')}"
        yield "    # endpoint: https://s3.example.com # of an S3-compatible server; AWS by default"
        yield "    credentialsSecretRef:"
        yield f"      name: s3-credentials # with {' and '.join(REQUIRED_STORAGE_KEYS)}"

    def _comment(self) -> Iterator[str]:
        counts = self.labels.counts
        skipped = f", {self.labels.skipped} of them without text or label" if self.labels.skipped else ""
        what = f"{self.rows:,} rows{skipped}, and {len(counts)} labels"
        yield f"# Trains a classifier on {visible(self.data.name)}, with {what}:"
        yield from (f"#   {visible(label)}: {texts:,}" for label, texts in counts.most_common(MOST_LISTED))
        if (more := len(counts) - MOST_LISTED) > 0:
            yield f"#   and {more} more"
        yield f"#   on this machine:   trainingrun run FILE --data {visible(str(self.data.parent))}"
        yield "#   on a cluster:      trainingrun submit FILE"


def manifest_name(path: Path) -> str:
    """A name for the run, made of that of its data."""
    words = re.findall("[a-z0-9]+", path.name.partition(".")[0].lower())
    return "-".join(words)[:MAX_RUN_NAME_LENGTH].strip("-") or "run"


def _scalar(text: str) -> str:
    """The text as YAML reads it back, wherever it stands."""
    plain = PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
