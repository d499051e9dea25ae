"""The few numbers at the top, beside the baseline, and what they say in words."""

from dataclasses import dataclass

from trainingrun_api.evaluation import (
    BaselineMethod,
    ClassificationScores,
    Evaluation,
    Interval,
    SimilarityScores,
)
from trainingrun_api.status import EpochSummary

BASELINES = {
    BaselineMethod.LOGISTIC_REGRESSION: "logistic regression on the frozen base model",
    BaselineMethod.BASE_MODEL: "the base model as it was loaded",
}


@dataclass(frozen=True)
class Score:
    """One score, 0 to 1, with its place on the scale."""

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
        """Whether another sample of texts could well show nothing better than the baseline."""
        return self.interval is not None and self.baseline is not None and self.interval.low <= self.baseline


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


def headline(evaluation: Evaluation) -> Headline:
    """Headline scores, against epoch 0."""
    scores = _scores(evaluation)
    before = evaluation.baseline
    return Headline(
        scores=scores,
        baseline=BASELINES[before.method],
        loss=evaluation.loss,
        baseline_loss=before.scores.evaluation_loss,
        verdict=_verdict(evaluation, scores),
    )


def _scores(evaluation: Evaluation) -> list[Score]:
    found, before = evaluation.classification, evaluation.baseline.scores
    if evaluation.similarity is not None:
        return _of_embeddings(evaluation.similarity, before)
    if found is None:
        return []
    several = found.threshold is not None
    right = "texts given exactly the right labels" if several else "texts given the right label"
    return [
        Score("Accuracy", found.accuracy, f"Share of {right}", found.accuracy_interval, before.accuracy),
        Score(
            "Macro F1",
            found.averages.macro.f1,
            "Mean of all classes' F1, each counted alike",
            found.macro_f1_interval,
            before.f1,
        ),
        *_others(found),
    ]


def _of_embeddings(found: SimilarityScores, before: EpochSummary) -> list[Score]:
    if found.labels is not None:
        meaning = 'Of the cosine as a score for "same label", over pairs of texts'
        nearest, retrieval = found.labels.nearest_label, found.labels.retrieval
        return [
            Score(
                "Average precision", found.labels.average_precision, meaning, None, before.average_precision
            ),
            Score("Nearest label", nearest.accuracy, "Share of texts nearest to the mean of their label"),
            Score("Reciprocal rank", retrieval.mean_reciprocal_rank, "Of the nearest text of one label"),
        ]
    if found.pairs is not None:
        meaning = "Rank correlation of cosine and score"
        return [Score("Spearman", max(found.pairs.spearman, 0), meaning, None, before.spearman)]
    if found.ranking is not None:
        meaning = "Share of near texts that are the nearest"
        return [Score("Accuracy", found.ranking.accuracy, meaning, None, before.accuracy)]
    return []


def _others(found: ClassificationScores) -> list[Score]:
    if found.threshold is not None:
        return [Score("Micro F1", found.averages.micro.f1, "F1 over all decisions")]
    tops = [Score(f"Top {top.k}", top.accuracy, f"Right label among {top.k}") for top in found.top_accuracies]
    return tops[1:2] or tops[:1]


def _verdict(evaluation: Evaluation, scores: list[Score]) -> str:
    if not scores or scores[0].baseline is None:
        return ""
    first, baseline = scores[0], BASELINES[evaluation.baseline.method]
    said = (
        f"{first.name} is {100 * first.value:.1f} % on {evaluation.data.evaluation:,} texts that it was not "
        f"trained on; {baseline} has {100 * (first.baseline or 0):.1f} %."
    )
    if evaluation.best_epoch == 0:
        return f"{said} No epoch was better, so the model before training is published."
    if first.in_doubt:
        return f"{said} The difference is within the margin of error: more evaluation texts would tell."
    return f"{said} Training bought {first.gain:.1f} points."
