"""Fields of models in CEL, and the text of its operators."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

CEL_NAMES = {"namespace": "__namespace__", "downward_api": "downwardAPI"}
"""Fields that are called as a word of CEL is, or not as others in camelCase."""


class Operand(NamedTuple):
    """A value in CEL, and its model."""

    name: str
    model: type[BaseModel]


class Field(NamedTuple):
    """A field that a path leads to."""

    names: tuple[str, ...]
    """Of the path, in CEL."""
    optional: tuple[bool, ...]
    """Which of them may be left out."""
    default: Any
    model: type[BaseModel]
    """That of its value or its items; BaseModel where these are no models."""

    def name(self, at: str) -> str:
        return ".".join((at, *self.names))

    def operand(self, at: str) -> Operand:
        return Operand(self.name(at), self.model)

    def guard(self, at: str) -> str:
        """CEL: all that can be left out is there; "" where nothing can."""
        ends = [end for end, optional in enumerate(self.optional, start=1) if optional]
        return both(*(f"has({'.'.join((at, *self.names[:end]))})" for end in ends))


@cache
def field_at(model: type[BaseModel], path: str) -> Field:
    """The field at a path of Python's names. Raises KeyError where there is none."""
    names, optional, default = [], [], None
    for name in path.split("."):
        field = model.model_fields[name]
        names.append(_cel_name(name))
        optional.append(not field.is_required())
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        model = _model_in(field.annotation)
    return Field(tuple(names), tuple(optional), default, model)


def _cel_name(field: str) -> str:
    return CEL_NAMES.get(field, to_camel(field))


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model that an annotation is of, or has items of; BaseModel where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not BaseModel), BaseModel)


def value_at(value: BaseModel, path: str) -> Any:
    """What is there; the field's default where nothing is that would have it."""
    found: Any = value
    for name in path.split("."):
        if found is None:
            return field_at(type(value), path).default
        found = getattr(found, name)
    return found


def same(fields: Iterable[str], one: Operand, other: Operand) -> str:
    """CEL: both have the same values in these fields, or both none; a model may lack a field.

    Of objects each field by itself: those of two places in a schema are of two types, which don't compare.
    """
    return both(*(_same_in(field, [at for at in (one, other) if _has(at, field)]) for field in fields))


def _has(place: Operand, path: str) -> bool:
    return path.split(".", maxsplit=1)[0] in place.model.model_fields


def _same_in(path: str, having: list[Operand]) -> str:
    fields = [(field_at(at.model, path), at.name) for at in having]
    guards = [field.guard(at) for field, at in fields]
    if len(fields) < 2:
        return both(*map(negated, guards))
    equal_values = " == ".join(field.name(at) for field, at in fields)
    return f"({guards[0]} ? {both(guards[1], equal_values)} : {negated(guards[1])})"


def equal(name: str, values: Sequence[object]) -> str:
    """CEL: it has one of the values; "" for None, which no field has that is there."""
    match values:
        case (None,):
            return ""
        case (bool(value),):
            return name if value else f"!{name}"
        case (value,):
            return f"{name} == {_literal(value)}"
    return f"{name} in [{', '.join(map(_literal, values))}]"


def _literal(value: object) -> str:
    return repr(str(value)) if isinstance(value, str) else repr(value)


def both(*conditions: str) -> str:
    """All that aren't ""."""
    return " && ".join(f"({one})" if _joined(one, "||") else one for one in conditions if one)


def either(*conditions: str) -> str:
    """Any of those that aren't ""."""
    return " || ".join(f"({one})" if _joined(one, "&&") else one for one in conditions if one)


def negated(condition: str) -> str:
    """Its opposite; "" of ""."""
    if _joined(condition, "&&", "||", "==", "in", ">"):
        return f"!({condition})"
    return condition.removeprefix("!") if condition.startswith("!") or not condition else f"!{condition}"


def _joined(condition: str, *operators: str) -> bool:
    """Whether one of the operators stands outside of all parentheses."""
    outside, before = condition, ""
    while outside != before:
        outside, before = re.sub(r"\([^()]*\)", "", outside), outside
    return any(f" {operator} " in outside for operator in operators)
