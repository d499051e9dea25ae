"""Labelled texts to learn from."""

from typing import Annotated, ClassVar

from pydantic import Field

from .base import FieldName, Model, Namespace, ObjectName
from .references import StorageUri
from .row_filter import RowFilter
from .rules import ExactlyOne, Given, Rule

MAIN_SETTING = "spec.dataset"
ONE_PLACE = Rule(ExactlyOne(("project", "uri")), "set exactly one of project and uri")
PROJECT_NAMES_FIELDS = Rule(
    ~Given("project")
    | ~(
        Given("text_field")
        | Given("label_field")
        | Given("label_separator")
        | Given("pair_field")
        | Given("filter")
    ),
    "textField, labelField, labelSeparator, pairField and filter go with uri; the project names its own",
)
PAIRS_OR_LABELS = Rule(
    ~Given("pair_field") | ~(Given("label_field") | Given("label_separator")),
    "labelField and labelSeparator don't go with pairField: pairs of texts have no labels",
)
WHOLE_PAIRS = Rule(
    Given("pair_field") | ~(Given("score_field") | Given("negative_field")),
    "scoreField and negativeField go with pairField, the second text of each pair",
)
SCORE_OR_NEGATIVE = Rule(
    ~(Given("score_field") & Given("negative_field")),
    "set at most one of scoreField and negativeField: a pair has a score, or a text to be told from",
)
NAMESPACE_OF_A_PROJECT = Rule(~Given("namespace") | Given("project"), "namespace goes with project")

LabelSeparator = Annotated[str, Field(min_length=1, max_length=8)]


class DatasetFiles(Model):
    """Labelled texts in files."""

    uri: StorageUri
    """A .jsonl, .csv, .tsv or .parquet file in UTF-8, those of text also compressed (.gz, .bz2, .xz, .zst); a
    prefix that ends in / for all such files under it; or a pattern of file names with *, ? and [abc], none of
    which matches a /. As s3:// or file://. CSV columns may be divided by , ; | or tabs: the header line
    decides."""

    text_field: FieldName = "text"
    """Field or column that holds the text, or a dotted path into objects, such as ticket.body."""

    label_field: FieldName = "label"
    """Field, column or dotted path that holds the label; several labels stand in a list, or see
    labelSeparator."""

    label_separator: LabelSeparator | None = None
    """What divides several labels in one string, such as |, for files that can't hold lists; left out, the
    whole string is one label."""

    pair_field: FieldName | None = None
    """For TextSimilarity: field, column or dotted path that holds a second text, which belongs to the first.
    Runs of TextSimilarity then learn from these pairs, other runs from the labels."""

    score_field: FieldName | None = None
    """Field that says how much the two texts of a pair are alike, a number; its range doesn't matter, only
    that more is more alike. Left out, both texts of each pair belong together. Goes with pairField."""

    negative_field: FieldName | None = None
    """Field that holds a third text, which the first is to be told from: triplets. Goes with pairField, and
    not with scoreField."""

    filter: RowFilter | None = None
    """Which rows are read; left out, all."""

    RULES: ClassVar = (WHOLE_PAIRS, SCORE_OR_NEGATIVE)


class DataSource(DatasetFiles):
    """Labelled texts in files, and where they are named."""

    project: str | None = None
    """The project that names the files; namespace/name where its namespace is named."""

    setting: str = MAIN_SETTING
    """Where the user wrote it, for messages."""

    @property
    def name(self) -> str:
        """What the user knows it by."""
        return self.project or self.uri


class Dataset(Model):
    """Labelled texts: of a project, or in files; exactly one of project and uri is set."""

    project: ObjectName | None = None
    """A TrainingProject of this namespace, whose data set, preset base model and output are used."""

    uri: StorageUri | None = None
    """A .jsonl, .csv, .tsv or .parquet file in UTF-8, those of text also compressed (.gz, .bz2, .xz, .zst); a
    prefix that ends in / for all such files under it; or a pattern of file names with *, ? and [abc], none of
    which matches a /. As s3:// or file://. CSV columns may be divided by , ; | or tabs: the header line
    decides."""

    text_field: FieldName | None = None
    """Field or column that holds the text, or a dotted path into objects, such as ticket.body; "text" when
    left out. Goes with uri."""

    label_field: FieldName | None = None
    """Field, column or dotted path that holds the label; several labels stand in a list, or see
    labelSeparator; "label" when left out. Goes with uri."""

    label_separator: LabelSeparator | None = None
    """What divides several labels in one string, such as |, for files that can't hold lists; left out, the
    whole string is one label. Goes with uri."""

    pair_field: FieldName | None = None
    """For TextSimilarity: field, column or dotted path that holds a second text, which belongs to the first.
    Such data are pairs and have no labels. Goes with uri."""

    score_field: FieldName | None = None
    """Field that says how much the two texts of a pair are alike, a number; its range doesn't matter, only
    that more is more alike. Left out, both texts of each pair belong together. Goes with pairField."""

    negative_field: FieldName | None = None
    """Field that holds a third text, which the first is to be told from: triplets. Goes with pairField, and
    not with scoreField."""

    filter: RowFilter | None = None
    """Which rows are read; left out, all. Goes with uri."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        ONE_PLACE,
        PROJECT_NAMES_FIELDS,
        PAIRS_OR_LABELS,
        WHOLE_PAIRS,
        SCORE_OR_NEGATIVE,
    )

    def files(self) -> DatasetFiles | None:
        """The files this data set names itself; None when a project names them."""
        if self.uri is None:
            return None
        return DatasetFiles(
            uri=self.uri,
            text_field=self.text_field or "text",
            label_field=self.label_field or "label",
            label_separator=self.label_separator,
            pair_field=self.pair_field,
            score_field=self.score_field,
            negative_field=self.negative_field,
            filter=self.filter,
        )

    @property
    def shared_name(self) -> str | None:
        """The project, as a DataSource names it."""
        return self.project

    def source(self, shared: DatasetFiles | None, setting: str = MAIN_SETTING) -> DataSource:
        """Its own files, else `shared`, those of its project, which has to be there then.

        `setting` is where the run's spec has it.
        """
        files, project = self.files() or shared, self.shared_name
        if files is None:
            raise TypeError(f"the project {project} is named and not given")
        place = setting if project is None else f"TrainingProject {project}, spec.dataset"
        return DataSource(**dict(files), project=project, setting=place)


class DatasetReference(Dataset):
    """Labelled texts beside the main ones: of a project, or in files."""

    project: ObjectName | None = None
    """A TrainingProject, whose data set alone is used."""

    namespace: Namespace | None = None
    """Namespace of the project, when that is another; the project's allowedNamespaces must name the run's."""

    RULES: ClassVar[tuple[Rule, ...]] = (*Dataset.RULES, NAMESPACE_OF_A_PROJECT)

    @property
    def shared_name(self) -> str | None:
        """The project with its namespace."""
        return self.project if self.namespace is None else f"{self.namespace}/{self.project}"
