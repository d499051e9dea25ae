"""What the texts show: contradictions, rejected rows, wrong labels, and a split that can't be trusted."""

from collections import Counter
from collections.abc import Iterator, Sequence

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import Evaluation, SourceCounts, TextPair

from .evidence import Evidence
from .wording import finding, named, quoted

CONFLICTS_NOTED, CONFLICTS_HARMFUL = 0.01, 0.05
"""Share of the texts that contradict another one, from which on it is worth a word, and from which on it
costs points: of two like texts with different labels a model can be right on one."""

FIELDS = frozenset({"answer", "status", "wascancelled"})
"""Where Prodigy, Argilla and Label Studio say what became of a row; small letters, without _ and -."""

REJECTED = frozenset(
    {
        "reject",
        "rejected",
        "ignore",
        "ignored",
        "skip",
        "skipped",
        "cancelled",
        "canceled",
        "discarded",
        "deleted",
    }
)
"""What they say of rows that are not to be used, in small letters."""

CANCELLED = REJECTED | {"true", "1"}
"""The same in a field that is named after it."""

MISLABELLED_NOTED, MISLABELLED_HARMFUL = 0.02, 0.1
"""Share of the texts looked at that are flagged, from which on it is worth a word, and a warning: of the
example tickets 5 % are, most of them hard rather than wrong, and 11 % with a tenth of the labels wrong."""

LEAST_MISLABELLED = 5
"""Such texts; a person who reads a few finds them without being told."""

WIDE = 0.1
"""Width of the accuracy's interval from which on it is too wide: most of what one changes in a run, from one
to the next, is worth less than the five points to either side."""

LEAKED = 0.01
"""Share of the evaluation texts from which on duplicates in the training data are worth a word: a point of
accuracy."""


def conflicting_duplicates(evidence: Evidence) -> Iterator[Finding]:
    """The same text, or nearly, has different labels."""
    data = evidence.data
    texts = data.read - data.rows_filtered - data.empty - data.unlabelled - data.disputed - data.filtered
    found = data.conflicts + data.near_conflicts
    if not found or found < CONFLICTS_NOTED * texts:
        return
    labels = _most_frequent([*data.examples.conflicts, *data.examples.near_conflicts])
    yield finding(
        FindingType.CONFLICTING_DUPLICATES,
        Severity.WARNING if found >= CONFLICTS_HARMFUL * texts else Severity.INFO,
        _counted(data.conflicts, data.near_conflicts)
        + (f"; most often with {named(labels)}" if labels else ""),
        "Correct their labels: some are under Data in report.html. If something besides the text decides, "
        "add it to spec.contextParameters",
        {"conflicts": data.conflicts, "nearConflicts": data.near_conflicts, "texts": texts},
    )


def _counted(conflicts: int, near_conflicts: int) -> str:
    if not conflicts:
        return f"{near_conflicts} texts have a near-duplicate with another label"
    return f"{conflicts} texts have a duplicate with another label" + (
        f", and {near_conflicts} a near-duplicate" if near_conflicts else ""
    )


def _most_frequent(pairs: Sequence[TextPair]) -> list[str]:
    """The labels that occur most often together; none without single labels."""
    single = [(pair.labels, pair.other_labels) for pair in pairs]
    counted = Counter(tuple(sorted([*one, *other])) for one, other in single if len(one) == len(other) == 1)
    return list(counted.most_common(1)[0][0]) if counted else []


def rejected_rows(evidence: Evidence) -> Iterator[Finding]:
    """Rows that are marked as rejected or ignored are trained on."""
    for field in evidence.fields:
        name = field.name.rpartition(".")[2].lower().replace("_", "").replace("-", "")
        marks = CANCELLED if name == "wascancelled" else REJECTED
        rejected = [value for value in field.values if value.strip().lower() in marks]
        if name not in FIELDS or not rejected:
            continue
        texts = sum(field.values[value] for value in rejected)
        yield finding(
            FindingType.REJECTED_ROWS,
            Severity.WARNING,
            f"{texts} of {sum(field.values.values())} texts examined have {named(rejected)} in "
            f"{quoted(field.name)}: annotation tools mark unusable rows this way, but they were used",
            f"If so, leave them out with spec.dataset.filter: field {quoted(field.name)}, exclude "
            f"{named(rejected)}",
            {"texts": texts, "lookedAt": sum(field.values.values())},
        )


def mislabelled_texts(evidence: Evidence) -> Iterator[Finding]:
    """Many labels are likely wrong."""
    found = evidence.label_issues
    if found is None or found.flagged < max(MISLABELLED_NOTED * found.judged, LEAST_MISLABELLED):
        return
    kinds = Counter((one.label, one.suggested) for one in found.texts)
    (label, suggested), _ = kinds.most_common(1)[0]
    yield finding(
        FindingType.MISLABELLED_TEXTS,
        Severity.WARNING if found.flagged >= MISLABELLED_HARMFUL * found.judged else Severity.INFO,
        f"{found.flagged} of {found.judged} texts look mislabelled, most often with "
        f"{quoted(label)} where {quoted(suggested)} is far more likely",
        "Read them in report.html, which exports them as CSV, and correct those that are wrong; the others "
        "are hard, and more texts like them would help",
        {"flagged": found.flagged, "judged": found.judged},
    )


def small_evaluation_split(evidence: Evidence) -> Iterator[Finding]:
    """The accuracy's 95 % interval is too wide to compare runs by."""
    interval = evidence.scores.accuracy_interval if evidence.scores else None
    if interval is None or interval.high - interval.low < WIDE:
        return
    yield finding(
        FindingType.SMALL_EVALUATION_SPLIT,
        Severity.INFO,
        f"The accuracy may be anywhere from {100 * interval.low:.0f} to {100 * interval.high:.0f} %: "
        f"{evidence.data.evaluation} evaluation texts can't show smaller differences between runs",
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
        f"{leaked} texts of the training data are duplicates or near-duplicates of the {texts} evaluation "
        "texts; they were left out of training, so these scores are not inflated",
        "Scores of models that were trained on the whole data set, such as base models from earlier runs, "
        "are inflated by these texts",
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
        f"{named([counts.source for counts in seen])}: these scores are inflated",
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
        f"Split the data as that run did (spec.training.seed {earlier.settings.training.seed}, "
        f"spec.trainPercent {earlier.settings.train_percent} or more), or {apart}"
    )


def _divides_alike(evidence: Evidence, earlier: Evaluation) -> bool:
    """Whether what is evaluated on now was kept back then, too: the same order, cut at the same place or
    after it."""
    now, before = evidence.settings, earlier.settings
    return now.training.seed == before.training.seed and now.train_percent >= before.train_percent


def _is_divided(counts: SourceCounts) -> bool:
    return bool(counts.training and counts.evaluation)
