"""Made-up short texts: as long, as various and as often repeated as what teams label."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainingrun_trainer.records import Example

VOCABULARY = 20_000
MEAN_WORDS = 10
LABELS = 50

COPIES, NEAR_COPIES, ACCENTED = 0.1, 0.1, 0.05
"""Shares of texts that are duplicates in other case, near-duplicates by one word, and not plain ASCII."""

BLOCK = 10_000


def texts(count: int, seed: int = 0) -> Iterator[str]:
    """The same each time; words come as often as Zipf's law has it."""
    random = np.random.default_rng(seed)
    words = _words(random)
    for start in range(0, count, BLOCK):
        yield from _block(words, random, min(BLOCK, count - start))


def examples(count: int) -> Iterator[Example]:
    """The texts with labels."""
    return (Example(text, (f"label {n % LABELS}",)) for n, text in enumerate(texts(count)))


def write(path: Path, count: int) -> None:
    """The texts with labels, as JSON Lines."""
    with path.open("w") as file:
        for n, text in enumerate(texts(count)):
            file.write(json.dumps({"text": text, "label": f"label {n % LABELS}"}) + "\n")


def write_pairs(path: Path, count: int) -> None:
    """The texts in pairs, as JSON Lines."""
    found = texts(2 * count)
    with path.open("w") as file:
        for one in found:
            file.write(json.dumps({"text": one, "pair": next(found)}) + "\n")


def _words(random: np.random.Generator) -> list[str]:
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    sizes = random.integers(2, 9, VOCABULARY)
    return ["".join(letters[(random.pareto(1.5, size) * 3).astype(int) % len(letters)]) for size in sizes]


def _block(words: list[str], random: np.random.Generator, count: int) -> Iterator[str]:
    sizes = np.clip(random.lognormal(np.log(MEAN_WORDS) - 0.1, 0.5, count).astype(int), 3, 60)
    drawn = (random.zipf(1.15, sizes.sum()) % VOCABULARY).tolist()
    kinds = random.random(count)
    before, start = "", 0
    for size, kind in zip(sizes.tolist(), kinds.tolist(), strict=True):
        text = " ".join([words[n] for n in drawn[start : start + size]])
        start += size
        if before and kind < COPIES:
            text = before.upper()
        elif before and kind < COPIES + NEAR_COPIES:
            text = f"{before} {words[drawn[start - 1]]}"
        elif kind < COPIES + NEAR_COPIES + ACCENTED:
            text = f"{text} caf\u00e9"
        yield text
        before = text
