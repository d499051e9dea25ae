"""The few numbers at the top, beside the baseline, and what they say in words."""

from dataclasses import dataclass

from trainingrun_api.evaluation import BaselineMethod, ClassificationScores, Evaluation, Interval

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
        f"Accuracy is {100 * first.value:.1f} % on {evaluation.data.evaluation:,} texts that it was not "
        f"trained on; {baseline} has {100 * (first.baseline or 0):.1f} %."
    )
    if evaluation.best_epoch == 0:
        return f"{said} No epoch was better, so the model before training is published."
    if first.in_doubt:
        return f"{said} The difference is within the margin of error: more evaluation texts would tell."
    return f"{said} Training bought {first.gain:.1f} points."
