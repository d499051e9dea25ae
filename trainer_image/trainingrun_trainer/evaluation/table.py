"""predictions.parquet: every evaluation text and what the model says of it."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ..records import Example
from .arrays import Indices
from .predictions import LabelPredictions

LABELS = b"labels"
"""Key of the schema's metadata that holds the label list, as JSON, in the order of the probabilities."""


def predictions_table(
    examples: Sequence[Example], labels: list[str], predictions: LabelPredictions
) -> pa.Table:
    """One row for each text, in the order of `examples`.

    Columns: text; context; source; labels, the true ones; predicted ones; probabilities in the order of the
    `labels` given here, which the schema's metadata holds too; loss, in nats.
    """
    probabilities = predictions.probabilities.astype(np.float32)
    columns = {
        "text": pa.array([example.text for example in examples], pa.string()),
        "context": pa.array([example.context for example in examples], pa.list_(pa.string())),
        "source": pa.array([example.source for example in examples], pa.string()),
        "labels": pa.array(_names(predictions.targets, labels), pa.list_(pa.string())),
        "predicted": pa.array(_names(predictions.predicted, labels), pa.list_(pa.string())),
        "probabilities": pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), len(labels)),
        "loss": pa.array(predictions.losses),
    }
    return pa.table(columns).replace_schema_metadata({LABELS: json.dumps(labels, ensure_ascii=False)})


def _names(targets: Indices, labels: list[str]) -> list[list[str]]:
    """Labels of each text, from indices (texts,) or from 0 and 1 (texts, labels)."""
    if targets.ndim == 1:
        return [[labels[index]] for index in targets]
    return [[labels[index] for index in row.nonzero()[0]] for row in targets]


def to_parquet(table: pa.Table) -> bytes:
    """The table as a file's content; text compresses to about a third."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content
