"""predictions.parquet: every evaluation text, pair or triplet, and what the model says of it."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ..pairs import Pairs
from ..records import Example
from .predictions import LabelPredictions
from .scores import Indices
from .similarity import Embeddings, cosine, ranks

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


def nearest_label_table(examples: Sequence[Example], labels: list[str], nearest: Indices) -> pa.Table:
    """One row for each text, in the order of `examples`.

    Columns: text; source; labels, the true one; predicted, the nearest one.
    """
    return pa.table(
        {
            "text": pa.array([example.text for example in examples], pa.string()),
            "source": pa.array([example.source for example in examples], pa.string()),
            "labels": pa.array([example.labels for example in examples], pa.list_(pa.string())),
            "predicted": pa.array([[labels[index]] for index in nearest], pa.list_(pa.string())),
        }
    )


def pairs_table(rows: Pairs, embeddings: list[Embeddings]) -> pa.Table:
    """One row for each of `rows`; `embeddings` are a matrix for each column of texts.

    Columns: text; pair; source; cosine of both; of scored pairs score; else rank, that of the near text among
    the near and far texts of 100 rows, and of triplets negative and its cosine with the text.
    """
    texts = [
        pa.array([example.text for example in rows.column(index)], pa.string()) for index in range(rows.width)
    ]
    columns = {
        "text": texts[0],
        "pair": texts[1],
        "source": pa.array([example.source for example in rows.column(0)], pa.string()),
        "cosine": pa.array(cosine(embeddings[0], embeddings[1])),
    }
    if rows.scores is not None:
        columns["score"] = pa.array(rows.scores, pa.float64())
    else:
        columns["rank"] = pa.array(ranks(embeddings))
    if len(texts) == 3:
        columns["negative"] = texts[2]
        columns["negative_cosine"] = pa.array(cosine(embeddings[0], embeddings[2]))
    return pa.table(columns)
