"""Peak memory from the file to the tokens, measured in a process of its own."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun_api.dataset import DataSource
from trainingrun_api.labels import Labels
from trainingrun_trainer import model
from trainingrun_trainer.corpus import Corpus, Splits
from trainingrun_trainer.data import FetchedSource, LabelRules, PairReading, Reading, Wanted
from trainingrun_trainer.dedup import deduplicate, find_duplicates
from trainingrun_trainer.pairs import Pairs, deduplicate_pairs, split_pairs
from trainingrun_trainer.records import SourceFile
from trainingrun_trainer.split import split
from trainingrun_trainer.training.pairs import DistinctTexts, EncodedColumns

SECONDS_BETWEEN = 0.02
MEBIBYTE = 1 << 20


class Peak(NamedTuple):
    """Most memory of the process while it did this, in MiB, and what time it took."""

    stage: str
    private: float
    """Memory of its own, which the system can't take back."""
    resident: float
    """With files mapped into memory, which it can."""
    seconds: float
    """By the clock, be the machine busy or not."""
    processor: float
    """Seconds of processor time."""


def measured(path: Path, way: str) -> list[Peak]:
    """Peaks by stage of a new process, the first one before all.

    It goes this `way`: "disk", as the trainer does, or "lists"; or reads "pairs", as the trainer does.
    """
    command = [sys.executable, "-m", "benchmarks.data.memory", str(path), way]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [Peak(*one) for one in json.loads(found)]


class Meter:
    """Looks at the process's memory all the time."""

    def __init__(self) -> None:
        self.peaks: list[Peak] = []
        self._stage, self._started = "start", _times()
        self._most = (0.0, 0.0)
        self._ended = threading.Event()

    def stage(self, name: str) -> None:
        """What was done ends, and this begins."""
        self._sample()
        taken = _times() - self._started
        self.peaks.append(Peak(self._stage, *self._most, *taken.tolist()))
        self._stage, self._started, self._most = name, _times(), (0.0, 0.0)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look while the block runs."""
        thread = threading.Thread(target=self._look)
        thread.start()
        yield
        self._ended.set()
        thread.join()
        self.stage("end")

    def _look(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            self._sample()

    def _sample(self) -> None:
        fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        private, resident = (int(fields[name].split()[0]) * 1024 / MEBIBYTE for name in ("RssAnon", "VmRSS"))
        self._most = (max(self._most[0], private), max(self._most[1], resident))


def _times() -> NDArray[np.float64]:
    """Seconds by the clock, and of the processor."""
    return np.array([time.monotonic(), time.process_time()])


def _main(path: Path, way: str) -> list[Peak]:
    return _of_pairs(path) if way == "pairs" else _of_texts(path, way)


def _of_texts(path: Path, way: str) -> list[Peak]:
    classifier = model.load(model.default_model_folder(), "Default", [f"label {n}" for n in range(50)])
    reading = Reading(
        [FetchedSource(DataSource(uri=path.as_uri()), [SourceFile(path.as_uri(), path)])],
        Wanted(LabelRules(Labels()), one_label=None),
    )
    meter = Meter()
    with meter.looking():
        (_on_disk if way == "disk" else _in_lists)(reading, classifier, meter)
    return meter.peaks


def _of_pairs(path: Path) -> list[Peak]:
    embedder = model.load_embedding_model(model.default_model_folder(), "Default")
    uri = path.as_uri()
    reading = PairReading([FetchedSource(DataSource(uri=uri, pair_field="pair"), [SourceFile(uri, path)])])
    meter = Meter()
    with meter.looking():
        meter.stage("read")
        rows = Pairs.of(reading)
        meter.stage("duplicates")
        unique = deduplicate_pairs(rows).rows
        meter.stage("split")
        training = split_pairs(unique, 80, 42).training
        meter.stage("tokenise")
        columns = [embedder.encode_texts(training.column(index))[0] for index in range(training.width)]
        meter.stage("an epoch's batches")
        batches = DistinctTexts(EncodedColumns(columns, np.zeros(len(training)), 0), 32, 42)
        assert sum(map(len, batches)) == len(training)
    return meter.peaks


def _on_disk(reading: Reading, classifier: model.Classifier, meter: Meter) -> None:
    meter.stage("read")
    corpus = Corpus.store(reading)
    meter.stage("duplicates and near-duplicates")
    duplicates = find_duplicates(corpus, 0.8)
    unique = deduplicate(corpus.all(), duplicates, skip=True, skip_near=False)
    meter.stage("split")
    splits: Splits = split(unique.texts, duplicates.group[unique.texts.rows], 80, 42)
    meter.stage("tokenise")
    encoded = [classifier.encode(part) for part in (splits.training, splits.evaluation)]
    assert sum(len(part.targets) for part in encoded) == len(unique.texts)


def _in_lists(reading: Reading, classifier: model.Classifier, meter: Meter) -> None:
    """Python's own lists, dictionaries and numbers, and no near-duplicates."""
    meter.stage("read")
    examples = list(reading)
    meter.stage("duplicates")
    unique = list({example.key: example for example in reversed(examples)}.values())
    meter.stage("split")
    order = np.random.default_rng(0).permutation(len(unique)).tolist()
    meter.stage("tokenise")
    tokens: list[list[int]] = []
    for start in range(0, len(order), 1024):
        texts = [unique[n].text for n in order[start : start + 1024]]
        tokens += classifier.tokenizer(texts, verbose=False)["input_ids"]


if __name__ == "__main__":
    print(json.dumps(_main(Path(sys.argv[1]), sys.argv[2])))
