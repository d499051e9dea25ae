"""predictions.parquet: every evaluation text and what the model says of it."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ..records import Example
from .predictions import Predictions

LABELS = b"labels"
"""Key of the schema's metadata that holds the label list, as JSON, in the order of the probabilities."""


def predictions_table(examples: Sequence[Example], labels: list[str], predictions: Predictions) -> pa.Table:
    """One row for each text, in the order of `examples`.

    Columns: text; label, the true one; predicted; probabilities in the order of `labels`, which the schema's
    metadata holds too; loss, in nats.
    """
    probabilities = predictions.probabilities.astype(np.float32)
    columns = {
        "text": pa.array([example.text for example in examples], pa.string()),
        "label": pa.array([labels[index] for index in predictions.targets], pa.string()),
        "predicted": pa.array([labels[index] for index in predictions.predicted], pa.string()),
        "probabilities": pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), len(labels)),
        "loss": pa.array(predictions.losses),
    }
    return pa.table(columns).replace_schema_metadata({LABELS: json.dumps(labels, ensure_ascii=False)})


def to_parquet(table: pa.Table) -> bytes:
    """The table as a file's content; text compresses to about a third."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content
