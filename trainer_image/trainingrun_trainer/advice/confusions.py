"""Labels that are taken for each other, and what might tell them apart."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import ClassificationScores

from .evidence import Evidence
from .wording import finding, named, quoted

CONFUSED = 0.1
"""Share of two labels' texts taken for the other one, from which on they are confused: with fewer, what is
wrong with the pair is no more than what is wrong everywhere."""

LEAST_CONFUSED = 5
"""Such texts; fewer may be chance."""

ALIKE = 0.35
"""Share from which on a person should ask whether they are two labels at all: guessing has a half."""

ENOUGH = 0.5
"""Share of the model's errors on a pair that a field alone may make to be worth having beside the text: the
model, which has the text as well, then does better still."""


@dataclass(frozen=True)
class ConfusedPair:
    """Two labels, by the evaluation texts of both that were given one of both."""

    one: str
    other: str
    right: tuple[int, int]
    """Texts of each that were given it."""
    confused: tuple[int, int]
    """Texts of each that were given the other."""

    @property
    def share(self) -> float:
        """Of the texts of both, those that are confused."""
        return sum(self.confused) / (sum(self.confused) + sum(self.right))

    @property
    def error(self) -> float:
        """Mean over the two labels of the share of their texts that is confused."""
        pairs = zip(self.right, self.confused, strict=True)
        return sum(wrong / max(right + wrong, 1) for right, wrong in pairs) / 2


def confused_pairs(scores: ClassificationScores | None) -> list[ConfusedPair]:
    """The pairs that are confused, the one with most texts first."""
    if scores is None:
        return []
    labels, counts = [one.label for one in scores.classes], scores.confusion_matrix.counts
    pairs = [
        ConfusedPair(labels[a], labels[b], (counts[a][a], counts[b][b]), (counts[a][b], counts[b][a]))
        for a in range(len(labels))
        for b in range(a)
        if counts[a][b] + counts[b][a] >= LEAST_CONFUSED
    ]
    confused = [pair for pair in pairs if pair.share >= CONFUSED]
    return sorted(confused, key=lambda pair: -sum(pair.confused))


def confused_labels(evidence: Evidence) -> Iterator[Finding]:
    """Pairs of labels that are taken for each other; the message has the worst."""
    pairs = confused_pairs(evidence.scores)
    if not pairs:
        return
    worst = pairs[0]
    confused, texts = sum(worst.confused), sum(worst.confused) + sum(worst.right)
    more = f" (more such pairs: {len(pairs) - 1})" if len(pairs) > 1 else ""
    yield finding(
        FindingType.CONFUSED_LABELS,
        Severity.WARNING,
        f"{named([worst.one, worst.other])} are confused in {confused} of {texts} texts{more}",
        (
            "They are hardly distinguished: merge them by spec.labels.aliases, or write down what separates "
            "them and label their texts again"
            if worst.share >= ALIKE
            else "Read these texts in report.html: write down what separates the labels and correct those "
            "that don't follow it, or label more texts like them"
        ),
        {"pairs": len(pairs), "confused": confused, "texts": texts},
    )


def missing_context(evidence: Evidence) -> Iterator[Finding]:
    """A field that isn't read tells a confused pair apart better than the model does."""
    used = set(evidence.settings.context_parameters)
    fields = [field for field in evidence.fields if field.name not in used and not field.gives_label_away]
    for pair in confused_pairs(evidence.scores):
        told = {field.name: field.tells([pair.one, pair.other]) for field in fields}
        best = max(told, key=lambda name: told[name] or 0, default=None)
        share = told[best] if best else None
        if best is None or share is None or 1 - share > ENOUGH * pair.error:
            continue
        yield finding(
            FindingType.MISSING_CONTEXT,
            Severity.WARNING,
            f"{quoted(best)} alone separates {quoted(pair.one)} from {quoted(pair.other)} in "
            f"{100 * share:.0f} % of texts; the model, which doesn't read it, in "
            f"{100 * (1 - pair.error):.0f} %",
            f"Add {best!r} to spec.contextParameters, if it is known wherever the model is used",
            {"toldByField": share, "toldByModel": 1 - pair.error},
        )
        return


def telltale_context(evidence: Evidence) -> Iterator[Finding]:
    """A context parameter that alone gives nearly every label."""
    for field in evidence.fields:
        if field.name in evidence.settings.context_parameters and field.gives_label_away:
            yield finding(
                FindingType.TELLTALE_CONTEXT,
                Severity.WARNING,
                f"The context parameter {field.name!r} alone gives {100 * (field.tells() or 0):.0f} % of the "
                "labels: the model may read nothing else, and scores may be too good to be true",
                f"Leave {field.name!r} out of spec.contextParameters, if it is filled in only once the label "
                "is known",
                {"toldByField": field.tells() or 0},
            )
