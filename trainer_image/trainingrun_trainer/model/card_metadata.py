"""What the Hugging Face Hub reads of a model card: the YAML at its beginning."""

from huggingface_hub import EvalResult, ModelCardData

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.metrics import LOSS, PEARSON, SPEARMAN, Metric
from trainingrun_api.visible import visible

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""Repository of the model in the trainer image."""

HUB = "hf://"
HUB_DATASETS = "hf://datasets/"

HUB_METRICS = {SPEARMAN: "spearmanr", PEARSON: "pearsonr"}
"""By their names in the library `evaluate`, where these differ."""


def front_matter(evaluation: Evaluation, library: str, task: str) -> str:
    """Library, task, base model, data sets and scores; no scores where a final fit made another model."""
    scored = evaluation.fitted_anew is None
    data = ModelCardData(
        library_name=library,
        pipeline_tag=task,
        base_model=_base_model(evaluation.base_model.source),
        datasets=[name for name in map(_hub_dataset, _sources(evaluation)) if name] or None,
        model_name=visible(evaluation.model_name) if scored else None,
        eval_results=_results(evaluation, task) if scored else None,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _results(evaluation: Evaluation, task: str) -> list[EvalResult]:
    names = _sources(evaluation)
    return [
        EvalResult(
            task_type=task,
            dataset_type=_hub_dataset(names[0]) or "private",
            dataset_name=visible(", ".join(names)),
            dataset_split="evaluation",
            metric_type=HUB_METRICS.get(metric, _type(metric)),
            metric_name=metric.title,
            metric_value=round(score, 4),
        )
        for metric, score in evaluation.scores.items()
        if metric != LOSS
    ]


def _type(metric: Metric) -> str:
    return "f1" if metric.key.endswith("f1") else metric.key


def _sources(evaluation: Evaluation) -> list[str]:
    return [counts.source for counts in evaluation.data.sources]


def _base_model(source: str) -> str | None:
    """Repository on the Hub; None of a model from elsewhere."""
    if source == "Default":
        return DEFAULT_MODEL
    return source.removeprefix(HUB) if source.startswith(HUB) else None


def _hub_dataset(name: str) -> str | None:
    """Repository of a data set on the Hub, of whose name revision, configuration and split are a part."""
    if not name.startswith(HUB_DATASETS):
        return None
    parts = name.removeprefix(HUB_DATASETS).split("@")[0].split("/")
    return "/".join(parts[:2])
