"""Which rows of a data set are read."""

from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from .base import FieldName, Model
from .rules import ExactlyOne, Rule

FilterValues = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]], Field(min_length=1, max_length=64)
]

ONE_WAY = Rule(ExactlyOne(("include", "exclude")), "set exactly one of include and exclude")


class RowFilter(Model):
    """Rows to keep or to skip by the value of a field, such as those that an annotation tool marks as
    rejected. Skipped rows are counted as rowsFiltered in evaluation.json; their other fields may contain
    anything."""

    field: FieldName
    """Field, column or path, such as answer, meta.status or answers[0].status."""

    include: FilterValues | None = None
    """Values of the rows to keep; rows with another value or none are skipped. Write numbers and booleans as
    strings: "1", "true"."""

    exclude: FilterValues | None = None
    """Values of the rows to skip; rows with another value or none are kept."""

    ALTERNATIVES: ClassVar = (frozenset({"include", "exclude"}),)
    RULES: ClassVar = (ONE_WAY,)

    @cached_property
    def named(self) -> frozenset[str]:
        """The values to include or to exclude."""
        return frozenset(self.include or self.exclude or ())

    def keeps(self, value: str) -> bool:
        """Whether a row with this value, "" where it has none, is read."""
        return (value in self.named) == (self.include is not None)
