"""How a model is used, as snippets of Python for its card."""

from trainingrun_api.visible import visible_json

from .context import SEPARATOR, Context, ContextForm
from .markdown import markdown_code

POOLED_USE = """\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
logits = model.encode(INPUTS, convert_to_tensor=True)
for scores in logits.softmax(dim=1):
    print(model.config.id2label[int(scores.argmax())], float(scores.max()))
```

`encode` gives one logit for each label, in the order of `id2label` in config.json.
"""

POOLED_MULTI_LABEL_USE = """\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
logits = model.encode(INPUTS, convert_to_tensor=True)
for scores in logits.sigmoid():
    given = (scores >= model.config.threshold).nonzero().flatten().tolist()
    print([(model.config.id2label[index], float(scores[index])) for index in given])
```

`encode` gives one logit for each label, in the order of `id2label` in config.json. A text has each label
whose probability (its logit's sigmoid) is at least `threshold` in config.json, and may have none.
"""

SEQUENCE_USE = """\
```python
from transformers import pipeline

classify = pipeline("text-classification", "path/to/this/folder")
print(classify(INPUTS, truncation=True))
```
"""

SEQUENCE_MULTI_LABEL_USE = """\
```python
from transformers import pipeline

classify = pipeline("text-classification", "path/to/this/folder", top_k=None)
threshold = classify.model.config.threshold
for scores in classify(INPUTS, truncation=True):
    print([(one["label"], one["score"]) for one in scores if one["score"] >= threshold])
```

A text has each label whose probability is at least `threshold` in config.json, and may have none.
"""

TEXTS = '["a text", "another text"]'

CONTEXT_USE = """\
The model reads {names} beside each text, in this order and without those that have no value:

```python
context = {{{values}}}
written = " | ".join({one} for name, value in context.items() if value)
```

{form}. The same is in config.json as `context`; a text without any has {empty}.
"""

USES = {
    (True, False): POOLED_USE,
    (True, True): POOLED_MULTI_LABEL_USE,
    (False, False): SEQUENCE_USE,
    (False, True): SEQUENCE_MULTI_LABEL_USE,
}
"""By whether the model is pooled, and whether a text may have several labels."""

EMBEDDING_USE = """\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
embeddings = model.encode(["a text", "another text"])
print(model.similarity(embeddings, embeddings))
```
"""


def classifier_use(context: Context, *, pooled: bool, multi_label: bool) -> str:
    """What gives texts their labels, and how the context is written that stands beside a text."""
    use = USES[pooled, multi_label].replace("INPUTS", _inputs(context, pooled=pooled))
    return f"{use}\n{_context_use(context, pooled=pooled)}" if context.parameters else use


def _inputs(context: Context, *, pooled: bool) -> str:
    """What the snippets give the model, as Python."""
    if not context.parameters:
        return TEXTS
    written = context.written([f"some {name}" for name in context.names])
    if context.form is ContextForm.PREFIX:
        return f'[{visible_json(f"{written}{SEPARATOR}a text")}, "another text"]'
    if pooled:
        return f'[("a text", {visible_json(written)}), ("another text", "")]'
    rows = [{"text": "a text", "text_pair": written}, {"text": "another text", "text_pair": ""}]
    return visible_json(rows)


def _context_use(context: Context, *, pooled: bool) -> str:
    """How what stands beside a text is written."""
    if context.form is ContextForm.PREFIX:
        form, empty = f'It goes before the text, as `f"{{written}}{SEPARATOR}{{text}}"`', "nothing before it"
    else:
        pair = "`(text, written)`" if pooled else '`{"text": text, "text_pair": written}`'
        form, empty = f"It is the second text of a pair, {pair}", '`""` there'
    one = "value" if context.form is ContextForm.PAIR else 'f"{name}: {value}"'
    values = ", ".join(f"{visible_json(name)}: {visible_json(f'some {name}')}" for name in context.names)
    names = ", ".join(map(markdown_code, context.names))
    return CONTEXT_USE.format(names=names, values=values, one=one, form=form, empty=empty)
