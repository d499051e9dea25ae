"""What happened to the texts, from file to split."""

from ..base import Model


class TextPair(Model):
    """Two texts that are duplicates or near-duplicates; long ones are cut."""

    text: str
    """The text that comes first, or is kept."""
    labels: list[str]
    """Its labels."""
    other: str
    """The other text."""
    other_labels: list[str]
    """Its labels."""
    similarity: float
    """Jaccard similarity of their character 4-grams, 0 to 1. Near-duplicates of near-duplicates count too,
    and may be less similar than spec.nearDuplicates.threshold."""


class DuplicateExamples(Model):
    """At most 20 pairs of each kind, to look at."""

    duplicates: list[TextPair] = []
    """Duplicates with the same labels."""
    conflicts: list[TextPair] = []
    """Duplicates with different labels."""
    near_duplicates: list[TextPair] = []
    """Near-duplicates with the same labels."""
    near_conflicts: list[TextPair] = []
    """Near-duplicates with different labels."""
    leaked: list[TextPair] = []
    """Texts of evaluationDataset, with training texts that are duplicates or near-duplicates of them."""


class LabelParts(Model):
    """Texts of one label on both sides of the split."""

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
    """A label that is written in several ways that look the same: they differ in white space or in Unicode
    composition."""

    label: str
    """Their common name, before aliases."""
    spellings: int
    """Number of ways in which it is written."""
    texts: int
    """Labelled rows, including skipped ones, that write it differently from most."""


class SourceCounts(Model):
    """Texts of one data set at each step from file to split."""

    source: str
    """The project, or the URI."""
    revision: str | None = None
    """Commit of the Hugging Face repository; null for files of an object store."""
    read: int
    """Texts read."""
    empty: int
    """Skipped: no text."""
    unlabelled: int
    """Skipped: no label."""
    disputed: int = 0
    """Skipped: no label that more than half of the text's annotators gave."""
    disagreed: int = 0
    """Used although the annotators disagree, with the labels that more than half of them gave."""
    rows_filtered: int = 0
    """Skipped by dataset.filter, before anything else."""
    filtered: int
    """Skipped: spec.labels drops all of its labels."""
    used: int
    """The rest, from which skipDuplicates removes duplicates."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""
    labels: list[LabelCount]
    """Used texts of each label, in alphabetical order."""
    common_labels: int
    """Labels shared with the main data set, the first one."""


class DataCounts(Model):
    """Texts at each step from file to split."""

    read: int
    """Texts read."""
    empty: int
    """Skipped: no text."""
    unlabelled: int
    """Skipped: no label."""
    disputed: int = 0
    """Skipped: no label that more than half of the text's annotators gave."""
    disagreed: int = 0
    """Used although the annotators disagree, with the labels that more than half of them gave."""
    rows_filtered: int = 0
    """Skipped by dataset.filter, before anything else."""
    filtered: int = 0
    """Skipped: spec.labels drops all of its labels."""
    duplicates: int
    """Duplicates with the same label; removed if skipDuplicates is set."""
    conflicts: int
    """Duplicates with a different label; the most frequent label is kept, or the first one in a tie."""
    near_duplicates: int = 0
    """Near-duplicates of an earlier text with the same labels; removed if nearDuplicates.skip is set."""
    near_conflicts: int = 0
    """Near-duplicates of an earlier text with different labels; always kept."""
    leaked: int = 0
    """Duplicates and near-duplicates of texts of evaluationDataset, which aren't trained on."""
    truncated: int
    """Texts that were cut because they are longer than maxSequenceLength."""
    without_context: dict[str, int] = {}
    """Labelled texts without a value, for each of spec.contextParameters."""
    training: int
    """Texts trained on."""
    evaluation: int
    """Texts evaluated on."""
    sources: list[SourceCounts]
    """The same by data set, the main one first."""
    by_label: list[LabelParts] = []
    """The same by label, in alphabetical order."""
    not_evaluated: list[str] = []
    """Labels that are trained but that no evaluation text has, such as those with a single text."""
    joined_labels: list[JoinedLabel] = []
    """Labels that are written in several ways and treated as one, in alphabetical order."""
    examples: DuplicateExamples = DuplicateExamples()
    """Examples of duplicates and near-duplicates."""
