"""The README.md beside a published model."""

from trainingrun_api.evaluation import Evaluation

POOLED_USE = """\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
logits = model.encode(["a text", "another text"], convert_to_tensor=True)
for scores in logits.softmax(dim=1):
    print(model.config.id2label[int(scores.argmax())], float(scores.max()))
```

`encode` gives one logit for each label, in the order of `id2label` in config.json.
"""

SEQUENCE_USE = """\
```python
from transformers import pipeline

classify = pipeline("text-classification", "path/to/this/folder")
print(classify(["a text", "another text"], truncation=True))
```
"""


def model_card(evaluation: Evaluation, *, pooled: bool, max_tokens: int) -> str:
    """A model card with scores, labels and how to use the model."""
    base = evaluation.base_model.source
    macro, weighted = evaluation.averages.macro, evaluation.averages.weighted
    library = "sentence-transformers" if pooled else "transformers"
    source = "the trainer's default model" if base == "Default" else base
    rows = "\n".join(
        f"| {scores.label.replace('|', chr(92) + '|')} | {scores.precision:.3f} | {scores.recall:.3f} "
        f"| {scores.f1:.3f} | {scores.support} |"
        for scores in evaluation.classes
    )
    return f"""\
---
library_name: {library}
pipeline_tag: text-classification
---

# {evaluation.model_name}

Gives a text one of {len(evaluation.labels)} labels. Fine-tuned from {source} on
{evaluation.data.training} texts; published are the weights of epoch {evaluation.best_epoch}.

## Scores

On {evaluation.data.evaluation} texts that were not trained on:

| accuracy | macro F1 | weighted F1 | loss |
|---|---|---|---|
| {evaluation.accuracy:.3f} | {macro.f1:.3f} | {weighted.f1:.3f} | {evaluation.loss:.3f} |

| label | precision | recall | F1 | texts |
|---|---|---|---|---|
{rows}

## Use

{POOLED_USE if pooled else SEQUENCE_USE}
Texts are cut after {max_tokens} tokens.
"""
