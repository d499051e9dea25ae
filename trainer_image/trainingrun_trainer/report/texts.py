"""The evaluation texts that the page holds: within a number and a size."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MAX_TEXTS = 5000
"""More would make the page slow; predictions.parquet has all."""

MAX_BYTES = 1_200_000
"""Of all texts, as they are embedded: leaves room for the rest within 2 MB."""

LENGTHS = (20_000, 5000, 2000, 1000, 500, 250, 120, 60)
"""Characters that texts are cut to, from longest on, until all fit."""

PROBABLE = 3
"""Labels shown with their probability, besides the true ones."""


@dataclass(frozen=True)
class Shown:
    """Texts as the script reads them."""

    rows: list[list[Any]]
    """For each: row of predictions.parquet; text; whether it is cut; context; index of its source; indices of
    its true labels; of the predicted ones; labels and probabilities, in per mille, in turn; loss or None."""
    sources: list[str]
    """Data sets by index."""
    total: int
    """Texts evaluated, shown or not."""
    cut: int
    """Of those shown, how many are cut."""


def shown_texts(predictions: pa.Table, labels: list[str]) -> Shown:
    """The texts that tell most: the wrong ones, then those with the highest loss, up to MAX_TEXTS."""
    chosen = _chosen(predictions)
    some = predictions.take(pa.array(chosen))
    probabilities = _probabilities(some, len(labels))
    about = some.drop_columns([name for name in ("probabilities",) if name in some.column_names])
    sources = sorted(set(some["source"].to_pylist()))
    numbers = {label: index for index, label in enumerate(labels)}
    rows = [
        [
            number,
            row["text"],
            0,
            row.get("context") or [],
            sources.index(row["source"]),
            true := [numbers[label] for label in row["labels"]],
            [numbers[label] for label in row["predicted"]],
            _probable(probabilities[place], true) if probabilities is not None else [],
            round(row["loss"], 3) if "loss" in row else None,
        ]
        for place, (number, row) in enumerate(zip(chosen.tolist(), about.to_pylist(), strict=True))
    ]
    cut = _cut(rows)
    return Shown(rows, sources, predictions.num_rows, cut)


def _chosen(predictions: pa.Table) -> NDArray[np.int64]:
    true, predicted = predictions["labels"].to_pylist(), predictions["predicted"].to_pylist()
    right = np.array([one == other for one, other in zip(true, predicted, strict=True)], dtype=bool)
    losses = predictions["loss"].to_numpy() if "loss" in predictions.column_names else np.zeros(len(right))
    order = np.lexsort((-losses, right))
    chosen: NDArray[np.int64] = np.sort(order[:MAX_TEXTS])
    return chosen


def _probabilities(table: pa.Table, labels: int) -> NDArray[np.float32] | None:
    """(texts, labels); None where the table has none, as that of an embedding model."""
    if "probabilities" not in table.column_names:
        return None
    column = table["probabilities"].combine_chunks()
    values: NDArray[np.float32] = column.flatten().to_numpy().reshape(table.num_rows, labels)
    return values


def _probable(probabilities: NDArray[np.float32], true: list[int]) -> list[int]:
    order = np.argsort(-probabilities, kind="stable")[:PROBABLE].tolist()
    shown = [*order, *(index for index in true if index not in order)]
    return [number for index in shown for number in (index, round(1000 * float(probabilities[index])))]


def _cut(rows: list[list[Any]]) -> int:
    """Cut the texts of `rows` to the first of LENGTHS with which all fit; gives how many it cut."""
    whole = [(row[1], row[3]) for row in rows]
    for length in LENGTHS:
        for row, (text, context) in zip(rows, whole, strict=True):
            row[1], row[3] = text[:length], [value[:length] for value in context]
            row[2] = int([row[1], row[3]] != [text, list(context)])
        if sum(len(json.dumps(row, ensure_ascii=False).encode()) for row in rows) <= MAX_BYTES:
            break
    return sum(row[2] for row in rows)
