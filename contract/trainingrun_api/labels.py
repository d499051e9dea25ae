"""Which labels are learned, and under which names."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, field_validator

from .base import Model
from .label_names import label_name
from .rules import Given, NoKeyOf, Rule


def _visible_name(written: str) -> str:
    name = label_name(written)
    if not name:
        raise ValueError(f"{written!r} isn't a label: it has no visible characters")
    return name


LabelName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S"), AfterValidator(_visible_name)]
LabelNames = Annotated[list[LabelName], Field(min_length=1, max_length=256)]


INCLUDE_OR_EXCLUDE = Rule(~Given("include") | ~Given("exclude"), "set at most one of include and exclude")
ALIASES_END = Rule(
    NoKeyOf("aliases", "aliases"),
    "an alias can't stand for another alias or for itself: give each the final name of its label",
)
NO_ALIAS_CHOSEN = Rule(
    NoKeyOf("include", "aliases") & NoKeyOf("exclude", "aliases"),
    "include and exclude take names after aliases: write the name that the alias stands for",
)


class Labels(Model):
    """Which labels of the data are learned, and under which names.

    Names, here and in the data, are compared in Unicode NFC, with white space trimmed and collapsed.
    """

    include: LabelNames | None = None
    """Labels to learn, by their names after aliases; all others are dropped. A label that no text has is an
    error. A text without any remaining label is skipped, and counted as filtered in evaluation.json."""

    exclude: LabelNames | None = None
    """Labels to drop, in the same way. Set at most one of include and exclude."""

    aliases: Annotated[dict[str, LabelName], Field(max_length=256)] = {}
    """Other names of labels, each with the one to use, such as billing_issue: billing. Applied first, to all
    data sets. An alias that no text has is logged as a warning."""

    allow_disjoint: bool = False
    """Accept an additional data set that shares no label with the main one, which is an error otherwise."""

    ALTERNATIVES: ClassVar = (frozenset({"include", "exclude"}),)
    RULES: ClassVar = (INCLUDE_OR_EXCLUDE, ALIASES_END, NO_ALIAS_CHOSEN)

    @field_validator("aliases")
    @classmethod
    def _by_name(cls, aliases: dict[str, str]) -> dict[str, str]:
        """Without aliases that have the name they stand for anyway, and are only written in another way."""
        named: dict[str, str] = {}
        for written, name in aliases.items():
            alias = label_name(written)
            if alias == name and written != name:
                continue
            if named.setdefault(alias, name) != name:
                raise ValueError(
                    f"aliases: {alias!r} is listed twice, for {named[alias]!r} and for {name!r}; keep one"
                )
        return named
