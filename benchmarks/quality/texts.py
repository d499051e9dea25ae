"""Texts with labels: files of them, and draws from these."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

TRAIN, TEST = "clinc150-train.jsonl", "clinc150-test.jsonl"


@dataclass(frozen=True)
class Text:
    """A text and its label; in CLINC150, an intent and the domain of that."""

    text: str
    label: str
    domain: str = ""


def read(path: Path) -> list[Text]:
    """Rows of a file that has text, label and, in CLINC150, metadata.domain."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Text(row["text"], row["label"], row.get("metadata", {}).get("domain", "")) for row in rows]


def write(texts: Iterable[Text], path: Path) -> Path:
    """A file that `read` reads."""
    rows = ({**asdict(text), "metadata": {"domain": text.domain}} for text in texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def draw_texts(texts: list[Text], per_label: int, seed: int, labels: int | None = None) -> list[Text]:
    """`per_label` texts of each label, or of so many `labels`; drawn by `seed`."""
    by_label: dict[str, list[Text]] = defaultdict(list)
    for text in sorted(texts, key=lambda text: text.text):
        by_label[text.label].append(text)
    drawn = draw_labels(texts, labels, seed) if labels else sorted(by_label)
    chance = random.Random(seed)  # noqa: S311
    return [text for label in drawn for text in chance.sample(by_label[label], per_label)]


def draw_labels(texts: list[Text], count: int, seed: int) -> list[str]:
    """So many of the labels, sorted; drawn by `seed`."""
    labels = sorted({text.label for text in texts})
    return sorted(random.Random(seed).sample(labels, count))  # noqa: S311


def of_labels(texts: list[Text], labels: Iterable[str]) -> list[Text]:
    """Those of the texts that have one of the labels."""
    wanted = set(labels)
    return [text for text in texts if text.label in wanted]
