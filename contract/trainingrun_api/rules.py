"""Rules across fields, each written once: CEL for the API server and the check in Python come from it.

Paths are Python's names of fields. A condition asks for a value as the model has it, defaults filled in. The
API server fills in no default that a project can give, so the CEL asks whether each field of a path is there,
and takes the model's own default where it isn't.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, JsonValue
from pydantic.alias_generators import to_camel

CEL_NAMES = {"namespace": "__namespace__"}
"""Fields that are called as a word of CEL is."""


class Condition:
    """Something that holds of a value or not; `&`, `|` and `~` combine them."""

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """In CEL, of a value of this model that is called `at` there."""
        raise NotImplementedError

    def holds(self, value: BaseModel) -> bool:
        """In Python."""
        raise NotImplementedError

    def __and__(self, other: "Condition") -> "Condition":
        return _Both(self, other)

    def __or__(self, other: "Condition") -> "Condition":
        return _Either(self, other)

    def __invert__(self) -> "Condition":
        return _Not(self)


class Rule(NamedTuple):
    """What holds of each value of a model, and what is said where it doesn't."""

    condition: Condition
    message: str

    def kubernetes(self, model: type[BaseModel]) -> dict[str, JsonValue]:
        """As the model's schema has it in Kubernetes."""
        return validation(self.condition.cel(model), self.message)


def validation(cel: str, message: str) -> dict[str, JsonValue]:
    """An item of x-kubernetes-validations."""
    return {"rule": cel, "message": message}


def broken(rules: Iterable[Rule], value: BaseModel) -> Rule | None:
    """The first rule that the value breaks."""
    return next((rule for rule in rules if not rule.condition.holds(value)), None)


@dataclass(frozen=True)
class Given(Condition):
    """The field is written."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """It is there, with all above it."""
        return _field(model, self.path).guard(at)

    def holds(self, value: BaseModel) -> bool:
        """It was set, to more than None."""
        above, _, name = self.path.rpartition(".")
        owner = _value(value, above) if above else value
        return owner is not None and name in owner.model_fields_set and getattr(owner, name) is not None


class Equals(Condition):
    """The field has one of these values."""

    def __init__(self, path: str, *values: str | bool | int) -> None:
        self._path = path
        self._values = values

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True also where the field is left out and its default is one of them."""
        field = _field(model, self._path)
        guard, equal = field.guard(at), _equal(field.name(at), self._values)
        return _either(_not(guard), equal) if field.default in self._values else _both(guard, equal)

    def holds(self, value: BaseModel) -> bool:
        """Also by default."""
        return _value(value, self._path) in self._values


@dataclass(frozen=True)
class Chosen(Condition):
    """The field has another value than its default; of a list or a map, there is something in it."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where it is left out."""
        field = _field(model, self.path)
        if isinstance(field.default, list | dict):
            return _both(field.guard(at), f"{field.name(at)}.size() > 0")
        return _both(field.guard(at), _not(_equal(field.name(at), (field.default,))))

    def holds(self, value: BaseModel) -> bool:
        """False where it is left out."""
        return bool(_value(value, self.path) != _field(type(value), self.path).default)


@dataclass(frozen=True)
class ExactlyOne(Condition):
    """One of the fields is written, and no other."""

    paths: Sequence[str]

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """Counted."""
        given = ", ".join(Given(path).cel(model, at) for path in self.paths)
        return f"[{given}].filter(isGiven, isGiven).size() == 1"

    def holds(self, value: BaseModel) -> bool:
        """Counted."""
        return sum(Given(path).holds(value) for path in self.paths) == 1


@dataclass(frozen=True)
class Some(Condition):
    """The condition holds of an item of a list."""

    path: str
    of_item: Condition

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where there is no list."""
        field = _field(model, self.path)
        return _both(
            field.guard(at), f"{field.name(at)}.exists(item, {self.of_item.cel(field.model, 'item')})"
        )

    def holds(self, value: BaseModel) -> bool:
        """False of an empty one."""
        return any(map(self.of_item.holds, _value(value, self.path)))


@dataclass(frozen=True)
class EachOnce(Condition):
    """No two items of a list are the same."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where there is no list."""
        field = _field(model, self.path)
        name = field.name(at)
        each = f"{name}.all(item, {name}.exists_one(other, other == item))"
        return _either(_not(field.guard(at)), each)

    def holds(self, value: BaseModel) -> bool:
        """True of an empty one."""
        items = _value(value, self.path)
        return len(set(items)) == len(items)


@dataclass(frozen=True)
class KeysMatch(Condition):
    """Each key of a map is at most so long, and matches the pattern, which RE2 and Python read alike."""

    path: str
    pattern: str
    max_length: int

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where there is no map."""
        field = _field(model, self.path)
        each = f"size(key) <= {self.max_length} && key.matches({self.pattern!r})"
        return _either(_not(field.guard(at)), f"{field.name(at)}.all(key, {each})")

    def holds(self, value: BaseModel) -> bool:
        """True of an empty one."""
        keys = _value(value, self.path)
        return all(len(key) <= self.max_length and re.fullmatch(self.pattern, key) for key in keys)


@dataclass(frozen=True)
class NoKeyOf(Condition):
    """No item of a list, or value of a map, is a key of another map."""

    path: str
    keys: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where one of both is left out."""
        field, keys = _field(model, self.path), _field(model, self.keys)
        name, guards = field.name(at), dict.fromkeys([field.guard(at), keys.guard(at)])
        item = f"{name}[item]" if isinstance(field.default, dict) else "item"
        return _either(*map(_not, guards), f"{name}.all(item, !({item} in {keys.name(at)}))")

    def holds(self, value: BaseModel) -> bool:
        """True where one of both is empty."""
        items, keys = _value(value, self.path) or (), _value(value, self.keys)
        return not any(item in keys for item in (items.values() if isinstance(items, dict) else items))


@dataclass(frozen=True)
class Distinct(Condition):
    """No item of a list has the same values in these fields as another one, nor as the value at `path`."""

    path: str
    items: str
    by: Sequence[str]

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """Of a list that the API server fills in."""
        one, many = _field(model, self.path), _field(model, self.items)
        item, name = _Place("item", many.model), many.name(at)
        once = f"{name}.exists_one(other, {_same(self.by, item, _Place('other', many.model))})"
        return f"{name}.all(item, {_both(_not(_same(self.by, item, one.place(at))), once)})"

    def holds(self, value: BaseModel) -> bool:
        """Of the value and each item."""
        keys = [_key(each, self.by) for each in (_value(value, self.path), *_value(value, self.items))]
        return len(set(keys)) == len(keys)


@dataclass(frozen=True)
class Among(Condition):
    """The value at `path` has the same values in these fields as another one, or as an item of a list."""

    path: str
    other: str
    items: str
    by: Sequence[str]

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where there is none at `path`."""
        one, other, many = (_field(model, path) for path in (self.path, self.other, self.items))
        further = _same(self.by, one.place(at), _Place("item", many.model))
        same = _either(
            _same(self.by, one.place(at), other.place(at)), f"{many.name(at)}.exists(item, {further})"
        )
        return _both(one.guard(at), same)

    def holds(self, value: BaseModel) -> bool:
        """False where there is none at `path`."""
        one, others = _value(value, self.path), (_value(value, self.other), *_value(value, self.items))
        return one is not None and _key(one, self.by) in {_key(each, self.by) for each in others}


@dataclass(frozen=True)
class _Both(Condition):
    one: Condition
    other: Condition

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return _both(self.one.cel(model, at), self.other.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return self.one.holds(value) and self.other.holds(value)


@dataclass(frozen=True)
class _Either(Condition):
    one: Condition
    other: Condition

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return _either(self.one.cel(model, at), self.other.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return self.one.holds(value) or self.other.holds(value)


@dataclass(frozen=True)
class _Not(Condition):
    condition: Condition

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return _not(self.condition.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return not self.condition.holds(value)


class _Place(NamedTuple):
    """A value in CEL, and its model."""

    name: str
    model: type[BaseModel]


class _Field(NamedTuple):
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

    def place(self, at: str) -> _Place:
        return _Place(self.name(at), self.model)

    def guard(self, at: str) -> str:
        """CEL: all that can be left out is there; "" where nothing can."""
        ends = [end for end, optional in enumerate(self.optional, start=1) if optional]
        return _both(*(f"has({'.'.join((at, *self.names[:end]))})" for end in ends))


@cache
def _field(model: type[BaseModel], path: str) -> _Field:
    names, optional, default = [], [], None
    for name in path.split("."):
        field = model.model_fields[name]
        names.append(_cel_name(name))
        optional.append(not field.is_required())
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        model = _model_in(field.annotation)
    return _Field(tuple(names), tuple(optional), default, model)


def _cel_name(field: str) -> str:
    return CEL_NAMES.get(field, to_camel(field))


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model that an annotation is of, or has items of; BaseModel where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not BaseModel), BaseModel)


def _value(value: BaseModel, path: str) -> Any:
    """What is there; the field's default where nothing is that would have it."""
    found: Any = value
    for name in path.split("."):
        if found is None:
            return _field(type(value), path).default
        found = getattr(found, name)
    return found


def _key(value: BaseModel, fields: Iterable[str]) -> tuple[object, ...]:
    return tuple(getattr(value, field, None) for field in fields)


def _same(fields: Iterable[str], one: _Place, other: _Place) -> str:
    """CEL: both have the same values in these fields, or both none; a model may lack a field."""
    return _both(*(_same_in(_cel_name(field), _having(field, one, other)) for field in fields))


def _having(field: str, *places: _Place) -> list[str]:
    return [place.name for place in places if field in place.model.model_fields]


def _same_in(name: str, having: list[str]) -> str:
    paths = [f"{at}.{name}" for at in having]
    if len(paths) < 2:
        return _both(*(f"!has({path})" for path in paths))
    one, other = paths
    return f"(has({one}) ? has({other}) && {one} == {other} : !has({other}))"


def _equal(name: str, values: Sequence[object]) -> str:
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


def _both(*conditions: str) -> str:
    return " && ".join(f"({one})" if _joined(one, "||") else one for one in conditions if one)


def _either(*conditions: str) -> str:
    return " || ".join(f"({one})" if _joined(one, "&&") else one for one in conditions if one)


def _not(condition: str) -> str:
    if _joined(condition, "&&", "||", "==", "in", ">"):
        return f"!({condition})"
    return condition.removeprefix("!") if condition.startswith("!") or not condition else f"!{condition}"


def _joined(condition: str, *operators: str) -> bool:
    """Whether one of the operators stands outside of all parentheses."""
    outside, before = condition, ""
    while outside != before:
        outside, before = re.sub(r"\([^()]*\)", "", outside), outside
    return any(f" {operator} " in outside for operator in operators)
