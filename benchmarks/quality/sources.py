"""Where texts come from: what runs and peers learn from, and the held-out ones that all are scored on."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from trainingrun_trainer.corpus import Texts
from trainingrun_trainer.dedup import deduplicate, find_duplicates
from trainingrun_trainer.records import Example
from trainingrun_trainer.split import split

from .texts import TEST, TRAIN, Text, draw_texts, read, write

CHATBOTS = "hint3"
"""Folder of the live chatbots' texts, beside those of CLINC150."""

OUT_OF_SCOPE = "NO_NODES_DETECTED"
"""Label of test texts that have none of the labels."""

TICKETS = Path(__file__).parents[2] / "examples" / "data" / "tickets.jsonl"

NEAR = 0.8
"""The trainer's default threshold for near-duplicates, none of which may stand on both sides."""


class Given(NamedTuple):
    """What there is to learn from, and what no run sees."""

    training: Path
    """A file that `read` reads; the trainer divides it once more."""
    test: list[Text]


@dataclass(frozen=True)
class Setup:
    """Where data is and where runs go."""

    data: Path
    work: Path

    def training(self) -> list[Text]:
        """All of CLINC150 that may be learned from."""
        return read(self.data / TRAIN)

    def test(self) -> list[Text]:
        """What no run on CLINC150 sees."""
        return read(self.data / TEST)


class Source(Protocol):
    """A data set, or a draw from one."""

    def given(self, setup: Setup, seed: int) -> Given:
        """What runs of `seed` get."""


@dataclass(frozen=True)
class Draw:
    """Texts of CLINC150: so many of each label, and of so many labels; None for all."""

    per_label: int | None = None
    labels: int | None = None

    def given(self, setup: Setup, seed: int) -> Given:
        """All, or what `seed` draws."""
        if self.per_label is None:
            return Given(setup.data / TRAIN, setup.test())
        path = setup.work / f"drawn-{self.per_label}-{self.labels or 'all'}-{seed}.jsonl"
        if not path.exists():
            write(draw_texts(setup.training(), self.per_label, seed, self.labels), path)
        return Given(path, setup.test())


@dataclass(frozen=True)
class Chatbot:
    """Questions to a live chatbot: those it was built from, and those of its log that it has a label for."""

    name: str

    def given(self, setup: Setup, seed: int) -> Given:
        """The same for each seed."""
        training, test = (self._read(setup.data / CHATBOTS, part) for part in ("train", "test"))
        path = write(training, setup.work / f"{self.name}.jsonl")
        return Given(path, [text for text in test if text.label != OUT_OF_SCOPE])

    def _read(self, folder: Path, part: str) -> list[Text]:
        with (folder / f"{self.name}-{part}.csv").open(encoding="utf-8", newline="") as file:
            return [Text(row["sentence"], row["label"]) for row in csv.DictReader(file)]


@dataclass(frozen=True)
class Tickets:
    """The example tickets, without duplicates; the trainer's own split holds a fifth back to test on."""

    def given(self, setup: Setup, seed: int) -> Given:
        """`seed` decides what is held back: duplicates and near-duplicates stand on one side."""
        texts = Texts.of(Example(text.text, (text.label,)) for text in read(TICKETS))
        duplicates = find_duplicates(texts.corpus, NEAR)
        once = deduplicate(texts, duplicates, skip=True, skip_near=False).texts
        parts = split(once, duplicates.group[once.rows], train_percent=80, seed=seed)
        training, test = (
            [Text(example.text, example.label) for example in part]
            for part in (parts.training, parts.evaluation)
        )
        return Given(write(training, setup.work / f"tickets-{seed}.jsonl"), test)
