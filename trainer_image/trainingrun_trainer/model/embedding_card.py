"""The README.md beside a published embedding model."""

from trainingrun_api.evaluation import Evaluation, SimilarityScores

from . import markdown

CARD = """\
---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
---

# {name}

Gives texts embeddings whose cosine says how much they have in common. Trained from {source} on
{training} {rows}; published are the weights of epoch {epoch}.

## Scores

On {evaluation} {rows} that were not trained on:

{scores}

## Use

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
embeddings = model.encode(["a text", "another text"])
print(model.similarity(embeddings, embeddings))
```

Texts are cut after {max_tokens} tokens.
"""


def embedding_card(evaluation: Evaluation, *, max_tokens: int) -> str:
    """A model card with scores and how to use the model."""
    base = evaluation.base_model.source
    scores = evaluation.similarity or SimilarityScores()
    return CARD.format(
        name=evaluation.model_name,
        source="the trainer's default model" if base == "Default" else markdown.text(base),
        training=evaluation.data.training,
        evaluation=evaluation.data.evaluation,
        rows="labelled texts" if scores.labels else "pairs" if scores.pairs else "pairs or triplets",
        epoch=evaluation.best_epoch,
        scores=_table(_named(scores)),
        max_tokens=max_tokens,
    )


def _named(scores: SimilarityScores) -> dict[str, float]:
    if scores.labels is not None:
        retrieval = scores.labels.retrieval
        return {
            'average precision of "same label"': scores.labels.average_precision,
            "the same by chance": scores.labels.same_label_share,
            "mean average precision": retrieval.mean_average_precision,
            "mean reciprocal rank": retrieval.mean_reciprocal_rank,
            "accuracy of the nearest label": scores.labels.nearest_label.accuracy,
        }
    if scores.pairs is not None:
        return {"Spearman": scores.pairs.spearman, "Pearson": scores.pairs.pearson}
    if scores.ranking is not None:
        rank = scores.ranking.mean_reciprocal_rank
        return {"near text is the nearest": scores.ranking.accuracy, "mean reciprocal rank": rank}
    return {}


def _table(scores: dict[str, float]) -> str:
    rows = [f"| {name} | {value:.3f} |" for name, value in scores.items()]
    return "\n".join(["| score | |", "|---|---|", *rows])
