"""Whether the evaluation part can be trusted."""

from collections.abc import Iterator

from trainingrun_api.advice import Finding, FindingType, Severity

from .evidence import Evidence
from .wording import finding

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
