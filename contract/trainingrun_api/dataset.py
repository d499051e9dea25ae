"""Labelled texts to learn from."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field

from .base import FieldName, Model, Namespace, ObjectName
from .names import HUB_TOKEN_VARIABLE
from .references import LocalObjectReference, RepositoryId, Revision, StorageUri
from .row_filter import RowFilter
from .rules import ExactlyOne, Given, Rule

MAIN_SETTING = "spec.dataset"
ONE_PLACE = Rule(
    ExactlyOne(("project", "uri", "hugging_face")), "set exactly one of project, uri and huggingFace"
)
FILES_OF_ONE_PLACE = Rule(ExactlyOne(("uri", "hugging_face")), "set exactly one of uri and huggingFace")
PROJECT_NAMES_FIELDS = Rule(
    ~Given("project")
    | ~(
        Given("text_field")
        | Given("label_field")
        | Given("label_separator")
        | Given("pair_field")
        | Given("filter")
        | Given("format")
    ),
    "textField, labelField, labelSeparator, pairField, filter and format can't be set with project: it has "
    "its own",
)
PAIRS_OR_LABELS = Rule(
    ~Given("pair_field") | ~(Given("label_field") | Given("label_separator") | Given("format")),
    "labelField, labelSeparator and format can't be set with pairField: pairs of texts have no labels",
)
WHOLE_PAIRS = Rule(
    Given("pair_field") | ~(Given("score_field") | Given("negative_field")),
    "scoreField and negativeField require pairField, the second text of each pair",
)
SCORE_OR_NEGATIVE = Rule(
    ~(Given("score_field") & Given("negative_field")),
    "set at most one of scoreField and negativeField: a pair has a score, or a triplet a negative text",
)
NAMESPACE_OF_A_PROJECT = Rule(~Given("namespace") | Given("project"), "namespace requires project")

LabelSeparator = Annotated[str, Field(min_length=1, max_length=8)]
ConfigName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^<>:/\\|?*]+$")]
SplitName = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$")]


class ExportFormat(StrEnum):
    """Labelling tools whose exports hold the answers of several annotators."""

    LABEL_STUDIO = "LabelStudio"
    """Label Studio: JSON, JSON-MIN or CSV."""
    ARGILLA = "Argilla"
    """Argilla: a data set of the library datasets, as on the Hugging Face Hub, or a file of it."""
    DOCCANO = "Doccano"
    """doccano: the files of several annotators, each with the same examples."""


class HuggingFaceDataset(Model):
    """A data set on the Hugging Face Hub, or on the mirror that the operator is configured with."""

    repo_id: RepositoryId
    """Repository, such as organization/name."""

    config: ConfigName | None = None
    """Configuration, also called subset. Default: the repository's default configuration, or its only one."""

    split: SplitName = "train"
    """Split to read, such as train, validation or test. All of its rows are read."""

    revision: Revision = "main"
    """Branch, tag or commit; evaluation.json has the commit that it resolved to."""

    token_secret_ref: LocalObjectReference | None = None
    """Secret with an access token under the key `token`, for private and gated repositories. It is in the
    namespace of the run, even if the data set is that of a project in another namespace. Default: the base
    model's token, if it has one."""

    @property
    def name(self) -> str:
        """What messages and results call it: hf://datasets/repository@revision/config/split."""
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return "/".join(filter(None, [f"hf://datasets/{self.repo_id}{revision}", self.config, self.split]))


class HubDataset(HuggingFaceDataset):
    """The same, with how it is read."""

    endpoint: str | None = None
    """URL of a mirror; the Hub when None."""
    token_variable: str = HUB_TOKEN_VARIABLE
    """Folder of the token's Secret, or variable of the environment; that of HF_TOKEN where there is none."""


class DatasetFiles(Model):
    """Labelled texts in files: of an object store, or of the Hugging Face Hub; set exactly one of uri and
    huggingFace."""

    uri: StorageUri | None = None
    """A .jsonl, .json, .csv, .tsv or .parquet file in UTF-8, those of text also compressed (.gz, .bz2, .xz,
    .zst); a prefix that ends in / for all such files under it; or a pattern of file names with *, ? and
    [abc], none of which matches a /. As s3:// or file://. A .json file holds one array of objects. CSV
    columns may be divided by , ; | or tabs: the header line decides."""

    hugging_face: HuggingFaceDataset | None = None
    """A data set on the Hugging Face Hub. Integers of a ClassLabel are replaced with the names of their
    classes."""

    text_field: FieldName = "text"
    """Field or column with the text, or a path into objects and lists, such as ticket.body or
    messages[0].text."""

    label_field: FieldName = "label"
    """Field, column or path with the label; several labels are a list, or see labelSeparator."""

    label_separator: LabelSeparator | None = None
    """Separator of several labels in one string, such as |, for files without lists. Default: the whole
    string is one label."""

    pair_field: FieldName | None = None
    """For TextSimilarity: field, column or path with a second text, which belongs to the first. Runs
    of TextSimilarity then learn from these pairs, other runs from the labels."""

    score_field: FieldName | None = None
    """Field with the similarity of the two texts of a pair, a number in any range; higher is more similar.
    Default: both texts of each pair belong together. Requires pairField."""

    negative_field: FieldName | None = None
    """Field with a third text that doesn't belong to the first: triplets. Requires pairField; not with
    scoreField."""

    filter: RowFilter | None = None
    """Rows to read; all by default."""

    format: ExportFormat | None = None
    """LabelStudio or Argilla, for files exported from there: textField is then a field of the task's data, or
    of the record; labelField is the name of the Choices control, or of the question. Doccano, for the files
    of several annotators: rows of one example are one text. Default: rows are read as they are."""

    RULES: ClassVar = (FILES_OF_ONE_PLACE, WHOLE_PAIRS, SCORE_OR_NEGATIVE)


class DataSource(DatasetFiles):
    """Labelled texts in files, and where they are named."""

    hugging_face: HubDataset | None = None
    """A data set on the Hugging Face Hub."""

    project: str | None = None
    """The project that names the files; namespace/name where its namespace is named."""

    setting: str = MAIN_SETTING
    """Where the user wrote it, for messages."""

    @property
    def name(self) -> str:
        """What the user knows it by."""
        return self.project or self.place

    @property
    def place(self) -> str:
        """Where its files are."""
        return self.hugging_face.name if self.hugging_face else str(self.uri)

    def from_hub(self, endpoint: str | None, token_variable: str) -> Self:
        """With how it is read, if it is on the Hub: from this mirror, with the token of this name."""
        if self.hugging_face is None:
            return self
        how = {"endpoint": endpoint, "token_variable": token_variable}
        return self.model_copy(update={"hugging_face": self.hugging_face.model_copy(update=how)})


class Dataset(Model):
    """Labelled texts of a project, in files, or on the Hugging Face Hub; set exactly one of project, uri and
    huggingFace."""

    project: ObjectName | None = None
    """A TrainingProject in this namespace, whose data set, base model and output are used."""

    uri: StorageUri | None = None
    """A .jsonl, .json, .csv, .tsv or .parquet file in UTF-8, those of text also compressed (.gz, .bz2, .xz,
    .zst); a prefix that ends in / for all such files under it; or a pattern of file names with *, ? and
    [abc], none of which matches a /. As s3:// or file://. A .json file holds one array of objects. CSV
    columns may be divided by , ; | or tabs: the header line decides."""

    hugging_face: HuggingFaceDataset | None = None
    """A data set on the Hugging Face Hub. Integers of a ClassLabel are replaced with the names of their
    classes."""

    text_field: FieldName | None = None
    """Field or column with the text, or a path into objects and lists, such as ticket.body or
    messages[0].text. Default: text. Not with project."""

    label_field: FieldName | None = None
    """Field, column or path with the label; several labels are a list, or see labelSeparator. Default: label.
    Not with project."""

    label_separator: LabelSeparator | None = None
    """Separator of several labels in one string, such as |, for files without lists. Default: the whole
    string is one label. Not with project."""

    pair_field: FieldName | None = None
    """For TextSimilarity: field, column or path with a second text, which belongs to the first. Such
    data are pairs and have no labels. Not with project."""

    score_field: FieldName | None = None
    """Field with the similarity of the two texts of a pair, a number in any range; higher is more similar.
    Default: both texts of each pair belong together. Requires pairField."""

    negative_field: FieldName | None = None
    """Field with a third text that doesn't belong to the first: triplets. Requires pairField; not with
    scoreField."""

    filter: RowFilter | None = None
    """Rows to read; all by default. Not with project."""

    format: ExportFormat | None = None
    """LabelStudio or Argilla, for files exported from there: textField is then a field of the task's data, or
    of the record; labelField is the name of the Choices control, or of the question. Doccano, for the files
    of several annotators: rows of one example are one text. Default: rows are read as they are. Not with
    project."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        ONE_PLACE,
        PROJECT_NAMES_FIELDS,
        PAIRS_OR_LABELS,
        WHOLE_PAIRS,
        SCORE_OR_NEGATIVE,
    )

    def files(self) -> DatasetFiles | None:
        """The files this data set names itself; None when a project names them."""
        if self.project is not None:
            return None
        return DatasetFiles(
            uri=self.uri,
            hugging_face=self.hugging_face,
            text_field=self.text_field or "text",
            label_field=self.label_field or "label",
            label_separator=self.label_separator,
            pair_field=self.pair_field,
            score_field=self.score_field,
            negative_field=self.negative_field,
            filter=self.filter,
            format=self.format,
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
        return DataSource(**files.model_dump(), project=project, setting=place)


class DatasetReference(Dataset):
    """Labelled texts in addition to the main ones: of a project, in files, or on the Hugging Face Hub."""

    project: ObjectName | None = None
    """A TrainingProject, of which only the data set is used."""

    namespace: Namespace | None = None
    """Namespace of the project, if it is another one; its allowedNamespaces has to list the run's."""

    RULES: ClassVar[tuple[Rule, ...]] = (*Dataset.RULES, NAMESPACE_OF_A_PROJECT)

    @property
    def shared_name(self) -> str | None:
        """The project with its namespace."""
        return self.project if self.namespace is None else f"{self.namespace}/{self.project}"
