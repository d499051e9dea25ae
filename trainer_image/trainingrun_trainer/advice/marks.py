"""What annotation tools say of rows, in fields beside text and label."""

from collections.abc import Iterator

from trainingrun_api.advice import Finding, FindingType, Severity

from .evidence import Evidence
from .wording import finding, named, quoted

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
            f"{texts} of {sum(field.values.values())} texts looked at have {named(rejected)} in "
            f"{quoted(field.name)}: annotation tools mark so what is not to be used, and it was used",
            f"If so, leave them out by spec.dataset.filter: field {quoted(field.name)}, exclude "
            f"{named(rejected)}",
            {"texts": texts, "lookedAt": sum(field.values.values())},
        )
