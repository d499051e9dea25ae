"""The few numbers at the top, beside the baseline, and what they say in words."""

from dataclasses import dataclass

from trainingrun_api.advice import FindingType
from trainingrun_api.evaluation import (
    BaselineMethod,
    ClassificationScores,
    Evaluation,
    Interval,
    SimilarityScores,
)
from trainingrun_api.metrics import (
    ACCURACY,
    AVERAGE_PRECISION,
    MACRO_F1,
    MEAN_RECIPROCAL_RANK,
    PEARSON,
    SPEARMAN,
    DataKind,
    Metric,
)

from .content import Report

BASELINES = {
    BaselineMethod.LOGISTIC_REGRESSION: "logistic regression on the frozen base model",
    BaselineMethod.BASE_MODEL: "the base model as it was loaded",
}


@dataclass(frozen=True)
class Score:
    """One score, 0 to 1, or a correlation, with its place on the scale."""

    name: str
    value: float
    meaning: str
    interval: Interval | None = None
    baseline: float | None = None

    @property
    def gain(self) -> float | None:
        """Points above the baseline, in percent."""
        return None if self.baseline is None else 100 * (self.value - self.baseline)

    @property
    def in_doubt(self) -> bool:
        """Whether the baseline is within the interval: another sample of texts could turn the difference."""
        interval = self.interval
        return (
            interval is not None
            and self.baseline is not None
            and interval.low <= self.baseline <= interval.high
        )


@dataclass(frozen=True)
class Headline:
    """What the top of the page says."""

    scores: list[Score]
    baseline: str
    """What the baseline is."""
    loss: float
    baseline_loss: float
    verdict: str
    """One or two sentences: how good it is, against what."""
    final_fit: str
    """Which model the scores are of, where a final fit came after it; empty without one."""
    base_run: str
    """What the run that this one went on from was worth; empty without one."""


def headline(report: Report) -> Headline:
    """Headline scores, against the baseline."""
    evaluation = report.evaluation
    scores = _scores(evaluation)
    return Headline(
        scores=scores,
        baseline=_baseline(evaluation),
        loss=evaluation.loss,
        baseline_loss=evaluation.baseline.scores.evaluation_loss,
        verdict=_verdict(evaluation, scores),
        final_fit=_final_fit(evaluation),
        base_run=_base_run(evaluation),
    )


def _scores(evaluation: Evaluation) -> list[Score]:
    """Those at the top of the page: the metrics that have a meaning there, then what else a task tells."""
    meanings: dict[Metric, str] = {}
    intervals: dict[Metric, Interval | None] = {}
    others: list[Score] = []
    if (labels := evaluation.classification) is not None:
        meanings, others = _meanings_of_labels(labels), _others_of_labels(labels)
        intervals = {ACCURACY: labels.accuracy_interval, MACRO_F1: labels.macro_f1_interval}
    elif (embeddings := evaluation.similarity) is not None:
        meanings, others = _meanings_of_embeddings(embeddings), _others_of_embeddings(embeddings)
    found, known = evaluation.scores, evaluation.baseline.scores.scores
    metrics = [
        Score(metric.title, found[metric], meaning, intervals.get(metric), known.get(metric))
        for metric, meaning in meanings.items()
    ]
    return [*metrics, *others]


def _meanings_of_labels(found: ClassificationScores) -> dict[Metric, str]:
    right = "exactly the right labels" if found.threshold else "the right label"
    evaluated, classes = len(found.evaluated), len(found.classes)
    some = "all classes'" if evaluated == classes else f"{evaluated} of {classes} classes'"
    rest = "" if evaluated == classes else "; no evaluation text has the others"
    return {
        ACCURACY: f"Share of texts with {right}",
        MACRO_F1: f"Unweighted mean of {some} F1{rest}",
    }


def _others_of_labels(found: ClassificationScores) -> list[Score]:
    if found.threshold:
        return [Score("Micro F1", found.averages.micro.f1, "F1 over all decisions")]
    tops = [
        Score(f"Top {top.k}", top.accuracy, f"Share of texts whose label is among the {top.k} most probable")
        for top in found.top_accuracies
    ]
    return tops[1:2] or tops[:1]


def _meanings_of_embeddings(found: SimilarityScores) -> dict[Metric, str]:
    if found.labels is not None:
        by_chance = f"{found.labels.same_label_share:.1%} by chance"
        return {
            AVERAGE_PRECISION: f"Of the cosine as a sign that two texts share a label; {by_chance}",
            ACCURACY: "Share of texts whose label has the nearest mean",
        }
    of = "of cosine and score, -100 to 100"
    return {
        DataKind.SCORED_PAIRS: {SPEARMAN: f"Rank correlation {of}", PEARSON: f"Linear correlation {of}"},
        DataKind.RANKED_TEXTS: {
            ACCURACY: "Share of near texts that are nearer than the others they are compared with",
            MEAN_RECIPROCAL_RANK: "Mean of 1 / rank of the near text",
        },
    }[found.kind]


def _others_of_embeddings(found: SimilarityScores) -> list[Score]:
    if found.labels is None:
        return []
    first = found.labels.retrieval.mean_reciprocal_rank
    meaning = "Mean of 1 / rank of the nearest text of the same label"
    return [Score(MEAN_RECIPROCAL_RANK.title, first, meaning)]


def _baseline(evaluation: Evaluation) -> str:
    base = evaluation.base_run
    if base and base.scores and evaluation.baseline.method is BaselineMethod.BASE_MODEL:
        return f"the model of run {base.name} as it was loaded"
    return BASELINES[evaluation.baseline.method]


def _final_fit(evaluation: Evaluation) -> str:
    final, data = evaluation.final_fit, evaluation.data
    if final is None:
        return ""
    if not final.kept:
        chosen = f"epoch {evaluation.best_epoch} is published"
        return f"The final fit on all {final.texts:,} texts failed, so {chosen}."
    return (
        f"The published model was fitted anew {final.course}. The scores here are of the model before, which "
        f"learned {data.training:,} of them and did not see the other {data.evaluation:,}."
    )


def _base_run(evaluation: Evaluation) -> str:
    base = evaluation.base_run
    if base is None:
        return ""
    own = base.own_scores
    before = ", before its final fit learned these too" if base.final_fit else ""
    said = (
        f"It started from run {base.name}, whose model has {own.in_words()} on the {own.support:,} rows that "
        f"it was evaluated on itself{before}"
    )
    if base.scores is None:
        return (
            f"{said}; task or labels are others there, so that model has no scores on the texts of this run."
        )
    return f"{said}."


def _verdict(evaluation: Evaluation, scores: list[Score]) -> str:
    first = scores[0] if scores else None
    if first is None or first.baseline is None:
        return ""
    baseline = _baseline(evaluation)
    seen = any(found.type == FindingType.SEEN_TEXTS for found in evaluation.advice)
    which = "some of which its base run was trained on" if seen else "that it was not trained on"
    texts = f"{evaluation.data.evaluation:,} {evaluation.kind.rows}"
    said = (
        f"{first.name} is {100 * first.value:.1f} % on {texts} {which}; "
        f"{baseline} has {100 * first.baseline:.1f} %."
    )
    if evaluation.best_epoch == 0:
        return f"{said} No epoch was better, so epoch 0 is the best."
    if first.in_doubt:
        return (
            f"{said} The difference is within the margin of error: more evaluation texts are needed to tell."
        )
    if first.value < first.baseline:
        metric = evaluation.settings.training.early_stopping.metric
        return f"{said} Training made it worse: the epoch was chosen by {metric}, see the curves."
    return f"{said} Training gained {first.gain:.1f} points."
