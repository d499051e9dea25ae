"""The trainer as it is: a spec, its pipeline, what it publishes."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pyarrow import parquet

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.progress import RunIdentity
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import BaseModelSource, References, RunConfig
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_trainer import pipeline

from .texts import Text, read

LIBRARY = Path(__file__).with_name("library.py")


@dataclass(frozen=True)
class Scores:
    """Of labels; shares, and nats per text."""

    accuracy: float
    f1: float
    loss: float


@dataclass(frozen=True)
class Published:
    """A finished run."""

    evaluation: Evaluation
    model: Path
    predictions: Path
    texts: Path
    """What it was given."""
    context: bool
    """Whether it reads a context beside the text."""

    def evaluation_texts(self) -> list[str]:
        """What it kept to evaluate on."""
        texts: list[str] = parquet.read_table(self.predictions, columns=["text"])["text"].to_pylist()
        return texts

    def training_texts(self) -> list[Text]:
        """What it trained on: its peers get the same."""
        kept = set(self.evaluation_texts())
        return [text for text in read(self.texts) if text.text not in kept]


def train(texts: Path, folder: Path, seed: int, base: Path | None = None, **spec: Any) -> Published:
    """Run the pipeline with defaults, but for the seed and what `spec` names; results go to `folder`.

    A finished run is taken as it is, an interrupted one goes on.
    """
    training = {"seed": seed, **spec.pop("training", {})}
    dataset = {"uri": texts.resolve().as_uri()}
    output = {"uri": folder.resolve().as_uri()}
    asked = TrainingRunSpec.model_validate(
        {"dataset": dataset, "output": output, "training": training, **spec}
    )
    run = RunIdentity(namespace="benchmark", name=folder.name, uid="1")
    source = BaseModelSource(uri=base.resolve().as_uri() if base else None)
    config = RunConfig.of(run, folder.name, ResolvedSpec.of(asked, None), References(source))
    artifacts = pipeline.run(config, lambda report: None).artifacts
    return Published(
        evaluation=Evaluation.model_validate_json(_path(artifacts.evaluation).read_text()),
        model=_path(artifacts.model),
        predictions=_path(artifacts.predictions),
        texts=texts,
        context="contextParameters" in spec,
    )


def score(model: Path, rows: list[Mapping[str, Any]], work: Path) -> Scores:
    """Of a published model, loaded by its library in a process of its own; rows have text and label."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    figures = work / "figures.json"
    command = [sys.executable, "-I", str(LIBRARY), str(model), str(work / "rows.jsonl"), str(figures)]
    subprocess.run(command, check=True)
    return Scores(**json.loads(figures.read_text()))


def _path(uri: str | None) -> Path:
    return Path(unquote(urlsplit(uri or "").path))
