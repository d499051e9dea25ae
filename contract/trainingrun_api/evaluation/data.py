"""What became of the texts, from file to split."""

from ..base import Model


class TextPair(Model):
    """Two texts that are the same, or nearly; of long ones the beginning."""

    text: str
    """The one that comes first, or is kept."""
    labels: list[str]
    """Its labels."""
    other: str
    """The other one."""
    other_labels: list[str]
    """Its labels."""
    similarity: float
    """Share of character 4-grams that both have, among those that either has (Jaccard), 0 to 1. Near-copies
    of near-copies count too, and may have less in common than spec.nearDuplicates.threshold."""


class CopyExamples(Model):
    """At most 20 pairs of each kind, to look at."""

    duplicates: list[TextPair] = []
    """Texts that occur again with the same labels."""
    conflicts: list[TextPair] = []
    """Texts that occur again with other labels."""
    near_duplicates: list[TextPair] = []
    """Near-copies with the same labels."""
    near_conflicts: list[TextPair] = []
    """Near-copies with other labels."""
    leaked: list[TextPair] = []
    """Texts of evaluationDataset, and training texts that are copies or near-copies of them."""


class LabelParts(Model):
    """Texts of one label in the two parts."""

    label: str
    """The label."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""


class LabelCount(Model):
    """Texts of one label."""

    label: str
    """The label, as it is after aliases."""
    texts: int
    """Texts that have it."""


class JoinedLabel(Model):
    """A label that is written in several ways which look the same: they differ in white space, or in how
    Unicode composes their letters."""

    label: str
    """The name that they have in common, before aliases."""
    spellings: int
    """Ways it is written."""
    texts: int
    """Labelled rows, those left out included, that write it in another way than most."""


class SourceCounts(Model):
    """What one data set held, and what became of it."""

    source: str
    """The project, or the URI."""
    read: int
    """Texts read."""
    empty: int
    """Left out: no text."""
    unlabelled: int
    """Left out: no label."""
    rows_filtered: int = 0
    """Left out by dataset.filter, before anything else."""
    filtered: int
    """Left out: all its labels are left out by spec.labels."""
    used: int
    """The rest, from which copies are left out when skipDuplicates is on."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""
    labels: list[LabelCount]
    """Used texts of each label, in alphabetical order."""
    common_labels: int
    """Labels that the main data set, the first one, has too."""


class DataCounts(Model):
    """Texts at each step from file to split."""

    read: int
    """Texts read."""
    empty: int
    """Left out: no text."""
    unlabelled: int
    """Left out: no label."""
    rows_filtered: int = 0
    """Left out by dataset.filter, before anything else."""
    filtered: int = 0
    """Left out: all its labels are left out by spec.labels."""
    duplicates: int
    """Texts that occur again with the same label; left out when skipDuplicates is on."""
    conflicts: int
    """Texts that occur again with another label; the most frequent label is kept, the first one on a tie."""
    near_duplicates: int = 0
    """Near-copies of an earlier text with the same labels; left out when nearDuplicates.skip is on."""
    near_conflicts: int = 0
    """Near-copies of an earlier text with other labels; always kept."""
    leaked: int = 0
    """Left out of training: copies and near-copies of texts of evaluationDataset."""
    truncated: int
    """Texts longer than maxSequenceLength, which were cut."""
    without_context: dict[str, int] = {}
    """Labelled texts that have no value, of each of spec.contextParameters."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""
    sources: list[SourceCounts]
    """The same by data set, the main one first."""
    by_label: list[LabelParts] = []
    """The same by label, in alphabetical order."""
    not_evaluated: list[str] = []
    """Labels that are trained and that no evaluation text has: those with a single text, for instance."""
    joined_labels: list[JoinedLabel] = []
    """Labels that are written in several ways and read as one, in alphabetical order."""
    examples: CopyExamples = CopyExamples()
    """Some of the texts that occur again."""
