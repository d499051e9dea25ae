"""Which rows of a data set are read."""

from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .base import FieldName, Model, Rule

FilterValues = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]], Field(min_length=1, max_length=64)
]

ONE_WAY = Rule("has(self.include) != has(self.exclude)", "set exactly one of include and exclude")


class RowFilter(Model):
    """Rows to read, or to leave out, by a field: those that an annotation tool marks as rejected, say. Rows
    left out are counted in evaluation.json as rowsFiltered, and nothing else in them matters."""

    field: FieldName
    """Field, column or dotted path that decides, such as answer or meta.status."""

    include: FilterValues | None = None
    """Values of the rows to read; those with another value, or none, are left out. Numbers and truth values
    as they are written: "1", "true"."""

    exclude: FilterValues | None = None
    """Values of the rows to leave out; those with another value, or none, are read."""

    ALTERNATIVES: ClassVar = (frozenset({"include", "exclude"}),)
    RULES: ClassVar = (ONE_WAY,)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.include is None) == (self.exclude is None):
            raise ValueError(ONE_WAY.message)
        return self

    @cached_property
    def named(self) -> frozenset[str]:
        """The values to include or to exclude."""
        return frozenset(self.include or self.exclude or ())

    def keeps(self, value: str) -> bool:
        """Whether a row with this value, "" where it has none, is read."""
        return (value in self.named) == (self.include is not None)
