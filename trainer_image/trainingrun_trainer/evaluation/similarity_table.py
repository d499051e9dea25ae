"""predictions.parquet of an embedding model: every evaluation row and how near its texts are."""

from collections.abc import Sequence

import pyarrow as pa

from ..pairs import Pairs
from ..records import Example
from .arrays import Indices
from .similarity import Embeddings, cosine, ranks


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
