"""Texts and their tokens on disk: the trainer's own way beside that of the library `datasets`.

Each way in a process of its own: a file is read, texts are written as they come, tokenised, and read again
in batches in a random order, as an epoch does.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets.arrow_dataset import Dataset
from datasets.utils.tqdm import disable_progress_bars
from transformers import PreTrainedTokenizerBase

from trainingrun_api.dataset import DataSource
from trainingrun_api.labels import Labels
from trainingrun_trainer import model
from trainingrun_trainer.corpus import Corpus
from trainingrun_trainer.data import FetchedSource, LabelRules, Reading, Wanted
from trainingrun_trainer.records import SourceFile
from trainingrun_trainer.tokens import TokenWriter

from .memory import Meter, Peak
from .texts import examples

OWN, LIBRARY = "own", "datasets"
TOKENISED_AT_ONCE, BATCH = 1024, 32


def measured_beside_library(path: Path, way: str, count: int) -> list[Peak]:
    """Peaks by stage of a new process that goes this way, the first one before all.

    `path` is a JSON Lines file of `count` texts; what is written goes beside it.
    """
    command = [sys.executable, "-m", "benchmarks.data.library", str(path), way, str(count)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [Peak(*one) for one in json.loads(found)]


def _main(path: Path, way: str, count: int) -> list[Peak]:
    classifier = model.load(model.default_model_folder(), "Default", ["a", "b"])
    meter = Meter()
    with meter.looking():
        (_own if way == OWN else _by_library)(classifier, path, count, meter)
    return meter.peaks


def _own(classifier: model.Classifier, path: Path, count: int, meter: Meter) -> None:
    meter.stage("read JSON Lines")
    source = FetchedSource(DataSource(uri=path.as_uri()), [SourceFile(path.as_uri(), path)])
    assert len(Corpus.store(Reading([source], Wanted(LabelRules(Labels()), one_label=None)))) == count
    meter.stage("write")
    texts = Corpus.store(examples(count)).all()
    meter.stage("tokenise")
    with TokenWriter() as writer:
        for start in range(0, count, TOKENISED_AT_ONCE):
            part = [example.text for example in texts[start : start + TOKENISED_AT_ONCE]]
            writer.add(_ids(classifier.tokenizer, classifier.max_tokens, part))
        tokens = writer.tokens()
    meter.stage("read in random order")
    _require_all(([tokens[row] for row in rows] for rows in _batches(count)), count)


def _by_library(classifier: model.Classifier, path: Path, count: int, meter: Meter) -> None:
    disable_progress_bars()
    cache = str(path.parent / "cache")
    meter.stage("read JSON Lines")
    read: Any = Dataset.from_json(str(path), cache_dir=cache)
    assert len(read) == count
    meter.stage("write")
    texts: Any = Dataset.from_generator(_rows, gen_kwargs={"count": count}, cache_dir=cache)
    meter.stage("tokenise")
    tokenizer, most = classifier.tokenizer, classifier.max_tokens  # what is named is fingerprinted
    tokens = texts.map(
        lambda rows: {"input_ids": _ids(tokenizer, most, list(rows["text"]))},
        batched=True,
        batch_size=TOKENISED_AT_ONCE,
        remove_columns=texts.column_names,
    )
    meter.stage("read in random order")
    _require_all((tokens[rows]["input_ids"] for rows in _batches(count)), count)


def _rows(count: int) -> Iterator[dict[str, str]]:
    return ({"text": example.text, "label": example.label} for example in examples(count))


def _ids(tokenizer: PreTrainedTokenizerBase, most: int, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = tokenizer(texts, truncation=True, max_length=most, verbose=False)["input_ids"]
    return found


def _batches(count: int) -> Iterator[list[int]]:
    order = np.random.default_rng(0).permutation(count)
    return (order[start : start + BATCH].tolist() for start in range(0, count, BATCH))


def _require_all(batches: Iterable[list[list[int]]], count: int) -> None:
    assert sum(map(len, batches)) == count


if __name__ == "__main__":
    print(json.dumps(_main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
