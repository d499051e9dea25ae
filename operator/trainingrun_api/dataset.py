"""Labelled texts to learn from."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .base import Model, ObjectName, Rule
from .references import StorageUri

FieldName = Annotated[str, Field(min_length=1, max_length=128)]


class DatasetFiles(Model):
    """Labelled texts in files."""

    uri: StorageUri
    """A .jsonl, .csv or .parquet file, or a prefix that ends in / with such files under it, as s3:// or file://."""

    text_field: FieldName = "text"
    """Field or column that holds the text."""

    label_field: FieldName = "label"
    """Field or column that holds the label."""


class Dataset(Model):
    """Labelled texts: of a project, or in files; exactly one of project and uri is set."""

    project: ObjectName | None = None
    """A TrainingProject of this namespace, whose data set, preset base model and output are used."""

    uri: StorageUri | None = None
    """A .jsonl, .csv or .parquet file, or a prefix that ends in / with such files under it, as s3:// or file://."""

    text_field: FieldName | None = None
    """Field or column that holds the text; "text" when left out. Goes with uri."""

    label_field: FieldName | None = None
    """Field or column that holds the label; "label" when left out. Goes with uri."""

    RULES: ClassVar = (
        Rule("has(self.project) != has(self.uri)", "set exactly one of project and uri"),
        Rule(
            "!has(self.project) || (!has(self.textField) && !has(self.labelField))",
            "textField and labelField go with uri; the project names its own",
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.project is None) == (self.uri is None):
            raise ValueError(self.RULES[0].message)
        if self.project is not None and (self.text_field or self.label_field):
            raise ValueError(self.RULES[1].message)
        return self

    def files(self) -> DatasetFiles | None:
        """The files this data set names itself; None when a project names them."""
        if self.uri is None:
            return None
        return DatasetFiles(
            uri=self.uri, text_field=self.text_field or "text", label_field=self.label_field or "label"
        )
