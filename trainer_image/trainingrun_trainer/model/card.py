"""The README.md beside a published model: what it was trained on, its scores, and how to use it."""

from trainingrun_api.evaluation import ClassificationScores, ClassScores, Evaluation
from trainingrun_api.metrics import AVERAGE_PRECISION, MACRO_F1, MEAN_RECIPROCAL_RANK

from .card_metadata import front_matter
from .card_use import EMBEDDING_USE, classifier_use
from .context import Context
from .markdown import markdown_code, markdown_text

ONNX_CARD = """
## ONNX

`onnx/model.onnx` is the same model as a graph for onnxruntime and servers that use it. Its inputs are what
the tokenizer in this folder returns, its outputs {outputs}.
"""

TEXTS_ARE_CUT = "Texts are cut after {} tokens."

WEAK_F1 = 0.5
"""Below, a label is named among the limits: of a text that is given or has it, more are wrong than right."""

NAMED = 10
"""Labels that a sentence names at most."""


def model_card(evaluation: Evaluation, *, pooled: bool, max_tokens: int, context: Context) -> str:
    """A model card with scores, labels and how to use the model."""
    library = "sentence-transformers" if pooled else "transformers"
    multi_label = evaluation.classification is not None and evaluation.classification.threshold is not None
    number = "any number" if multi_label else "one"
    return f"""\
{front_matter(evaluation, library, "text-classification")}
# {evaluation.model_name}

Gives a text {number} of {len(evaluation.labels)} labels. Fine-tuned from {_base(evaluation)}
{_published(evaluation)}.

## Scores

{_basis(evaluation)}:

{_scores(evaluation, evaluation.classification) if evaluation.classification else ""}
## Use

{classifier_use(context, pooled=pooled, multi_label=multi_label)}
## Data

{_data(evaluation)}

## Limits

{_listed(_limits(evaluation, max_tokens))}
"""


def _base(evaluation: Evaluation) -> str:
    """What training started from."""
    source = evaluation.base_model.source
    return "the trainer's default model" if source == "Default" else markdown_text(source)


def _listed(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _data(evaluation: Evaluation) -> str:
    """What was read, and what became of it."""
    data = evaluation.data
    sources = ", ".join(markdown_text(one.source) for one in data.sources)
    return (
        f"{data.training} {evaluation.kind.rows} to train on and {data.evaluation} to evaluate on, of "
        f"{data.read} rows of {sources}."
    )


def _limits(evaluation: Evaluation, max_tokens: int) -> list[str]:
    """What the model can't."""
    scores, data = evaluation.classification, evaluation.data
    several = scores is not None and scores.threshold is not None
    else_ = "may get none" if several else "gets one of them too, often with a low probability"
    limits = [
        f"It knows only its {len(evaluation.labels)} labels: a text about something else {else_}.",
        TEXTS_ARE_CUT.format(max_tokens),
    ]
    if scores is not None and scores.accuracy_interval is not None:
        low, high = scores.accuracy_interval.low, scores.accuracy_interval.high
        limits.append(
            f"{data.evaluation} texts tell its accuracy no closer than between {low:.0%} and {high:.0%}."
        )
    limits += _weak(scores) if scores else []
    if data.not_evaluated:
        named = ", ".join(map(markdown_text, data.not_evaluated[:NAMED]))
        limits.append(f"How good it is for labels that no evaluation text has isn't known, such as {named}.")
    return limits


def _weak(scores: ClassificationScores) -> list[str]:
    """A sentence on the labels that it is bad at, if there are any."""
    weak = sorted((one for one in scores.evaluated if one.f1 < WEAK_F1), key=lambda one: one.f1)
    if not weak:
        return []
    named = ", ".join(markdown_text(one.label) for one in weak[:NAMED])
    return [f"It is unreliable for labels with an F1 below {WEAK_F1}, first {named}."]


def _published(evaluation: Evaluation) -> str:
    """Which weights these are."""
    if (final := evaluation.fitted_anew) is not None:
        return final.course
    return f"on {evaluation.data.training} texts; published are the weights of epoch {evaluation.best_epoch}"


def _basis(evaluation: Evaluation) -> str:
    """What the scores are of."""
    data = evaluation.data
    if evaluation.fitted_anew:
        return (
            "Not of this model, which has learned all texts, but of the one before it: trained on "
            f"{data.training} of them alone, scored on the other {data.evaluation}"
        )
    return f"On {data.evaluation} texts that were not trained on"


def _scores(evaluation: Evaluation, scores: ClassificationScores) -> str:
    shown = evaluation.scores
    some = len(scores.evaluated) < len(scores.classes)
    basis = {MACRO_F1: f" of {len(scores.evaluated)} of {len(scores.classes)} labels"} if some else {}
    rows = "\n".join(map(_row, scores.classes))
    return f"""\
| {" | ".join(f"{metric.name}{basis.get(metric, '')}" for metric in shown)} |
|{"---|" * len(shown)}
| {" | ".join(f"{score:.3f}" for score in shown.values())} |

| label | precision | recall | F1 | texts |
|---|---|---|---|---|
{rows}
"""


def _row(one: ClassScores) -> str:
    """Of the table of labels; one that was not evaluated has no scores."""
    shares = [f"{share:.3f}" if one.support else "-" for share in (one.precision, one.recall, one.f1)]
    return f"| {' | '.join([markdown_text(one.label), *shares, str(one.support)])} |"


def onnx_card(outputs: list[str]) -> str:
    """What the card says beside, of a model that is published as ONNX too, with these outputs."""
    return ONNX_CARD.format(outputs=" and ".join(map(markdown_code, outputs)))


def embedding_card(evaluation: Evaluation, *, max_tokens: int) -> str:
    """A model card with scores and how to use the model."""
    data, rows = evaluation.data, evaluation.kind
    return f"""\
{front_matter(evaluation, "sentence-transformers", "sentence-similarity")}
# {evaluation.model_name}

Gives texts embeddings whose cosine says how much they have in common. Fine-tuned from {_base(evaluation)}
on {data.training} {rows}; published are the weights of epoch {evaluation.best_epoch}.

## Scores

On {data.evaluation} {rows} that were not trained on:

{_table(_named(evaluation))}

## Use

{EMBEDDING_USE}
## Data

{_data(evaluation)}

## Limits

{_listed(_limits_of_embeddings(evaluation, max_tokens))}
"""


def _limits_of_embeddings(evaluation: Evaluation, max_tokens: int) -> list[str]:
    """What the model can't."""
    limits = [
        TEXTS_ARE_CUT.format(max_tokens),
        "A cosine only ranks texts. From which cosine on two texts count as alike depends on what they are "
        "about: choose it with texts of your own.",
    ]
    labels = evaluation.similarity.labels if evaluation.similarity else None
    if labels is not None:
        limits.append(
            f"Alike are texts with the same one of {len(evaluation.labels)} labels; it was not taught other "
            "ways to be alike."
        )
        limits += _weak(labels.nearest_label)
    return limits


def _named(evaluation: Evaluation) -> dict[str, float]:
    """All scores by name, with those of nearest neighbours where texts have labels."""
    named = {metric.name: score for metric, score in evaluation.scores.items()}
    labels = evaluation.similarity.labels if evaluation.similarity else None
    if labels is None:
        return named
    return named | {
        f"{AVERAGE_PRECISION.name} of a cosine by chance": labels.same_label_share,
        "mean average precision": labels.retrieval.mean_average_precision,
        MEAN_RECIPROCAL_RANK.name: labels.retrieval.mean_reciprocal_rank,
    }


def _table(scores: dict[str, float]) -> str:
    rows = [f"| {name} | {value:.3f} |" for name, value in scores.items()]
    return "\n".join(["| score | |", "|---|---|", *rows])
