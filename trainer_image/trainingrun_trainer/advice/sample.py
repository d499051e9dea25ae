"""Whether the evaluation split can be trusted."""

from collections.abc import Iterator

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import Evaluation, SourceCounts

from .evidence import Evidence
from .wording import finding, named

WIDE = 0.1
"""Width of the accuracy's interval from which on it is too wide: most of what one changes in a run, from one
to the next, is worth less than the five points to either side."""

LEAKED = 0.01
"""Share of the evaluation texts from which on copies in the training data are worth a word: a point of
accuracy."""


def small_evaluation_part(evidence: Evidence) -> Iterator[Finding]:
    """The accuracy's 95 % interval is too wide to compare runs by."""
    interval = evidence.scores.accuracy_interval if evidence.scores else None
    if interval is None or interval.high - interval.low < WIDE:
        return
    yield finding(
        FindingType.SMALL_EVALUATION_PART,
        Severity.INFO,
        f"Accuracy may be anything from {100 * interval.low:.0f} to {100 * interval.high:.0f} %: "
        f"{evidence.data.evaluation} evaluation texts don't tell smaller differences between runs",
        "Label more texts, lower spec.trainPercent, or name a larger spec.evaluationDataset; four times the "
        "texts halve the interval",
        {"low": interval.low, "high": interval.high, "texts": evidence.data.evaluation},
    )


def leaked_texts(evidence: Evidence) -> Iterator[Finding]:
    """Texts of evaluationDataset were in the training data too."""
    leaked, texts = evidence.data.leaked, evidence.data.evaluation
    if leaked < LEAKED * texts or not leaked:
        return
    yield finding(
        FindingType.LEAKED_TEXTS,
        Severity.INFO,
        f"{leaked} texts of the training data are copies or near-copies of the {texts} evaluation texts; "
        "they were left out of training, so these scores are honest",
        "Scores of models that were trained on the whole data set, such as base models from earlier runs, "
        "are flattered by these texts",
        {"leaked": leaked, "texts": texts},
    )


def seen_texts(evidence: Evidence) -> Iterator[Finding]:
    """The run that made the base model was trained on texts that are evaluated on now."""
    earlier = evidence.earlier
    if earlier is None:
        return
    final = earlier.fitted_anew is not None
    kept_back = not final and _divides_alike(evidence, earlier)
    trained = {counts.source: counts for counts in earlier.data.sources if counts.training}
    seen = [
        now
        for now in evidence.data.sources
        if now.evaluation
        and (before := trained.get(now.source)) is not None
        and not (kept_back and _is_divided(before) and _is_divided(now))
    ]
    if not seen:
        return
    texts = sum(counts.evaluation for counts in seen)
    yield finding(
        FindingType.SEEN_TEXTS,
        Severity.WARNING,
        f"The base run {earlier.model_name} was trained on some of the {texts} evaluation texts of "
        f"{named([counts.source for counts in seen])}: these scores are flattered",
        _otherwise(earlier, final=final),
        {"texts": texts},
    )


def _otherwise(earlier: Evaluation, *, final: bool) -> str:
    """How to evaluate on what that run did not see; after a `final` fit it has seen all."""
    apart = "name a spec.evaluationDataset that it did not see"
    if final:
        return (
            f"Its final fit learned all of its texts: {apart}, or start from a run without training.finalFit"
        )
    return (
        f"Divide the data as that run did (spec.training.seed {earlier.settings.training.seed}, "
        f"spec.trainPercent {earlier.settings.train_percent} or more), or {apart}"
    )


def _divides_alike(evidence: Evidence, earlier: Evaluation) -> bool:
    """Whether what is evaluated on now was kept back then, too: the same order, cut at the same place or
    after it."""
    now, before = evidence.settings, earlier.settings
    return now.training.seed == before.training.seed and now.train_percent >= before.train_percent


def _is_divided(counts: SourceCounts) -> bool:
    return bool(counts.training and counts.evaluation)
