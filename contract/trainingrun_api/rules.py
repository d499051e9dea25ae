"""Rules across fields, each written once: CEL for the API server and the check in Python come from it.

Paths are Python's names of fields. A predicate asks for a value as the model has it, defaults filled in. The
API server fills in no default that a project can give, so the CEL asks whether each field of a path is there,
and takes the model's own default where it isn't.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel, JsonValue

from .cel import Operand, both, either, equal, field_at, negated, same, value_at


class Predicate:
    """Something that holds of a value or not; `&`, `|` and `~` combine them."""

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """In CEL, of a value of this model that is called `at` there."""
        raise NotImplementedError

    def holds(self, value: BaseModel) -> bool:
        """In Python."""
        raise NotImplementedError

    def __and__(self, other: "Predicate") -> "Predicate":
        return _Both(self, other)

    def __or__(self, other: "Predicate") -> "Predicate":
        return _Either(self, other)

    def __invert__(self) -> "Predicate":
        return _Not(self)


class Rule(NamedTuple):
    """What holds of each value of a model, and what is said where it doesn't."""

    predicate: Predicate
    message: str

    def kubernetes(self, model: type[BaseModel]) -> dict[str, JsonValue]:
        """As the model's schema has it in Kubernetes."""
        return validation(self.predicate.cel(model), self.message)


def validation(cel: str, message: str) -> dict[str, JsonValue]:
    """An item of x-kubernetes-validations."""
    return {"rule": cel, "message": message}


def broken(rules: Iterable[Rule], value: BaseModel) -> Rule | None:
    """The first rule that the value breaks."""
    return next((rule for rule in rules if not rule.predicate.holds(value)), None)


@dataclass(frozen=True)
class Given(Predicate):
    """The field is written."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """It is there, with all above it."""
        return field_at(model, self.path).guard(at)

    def holds(self, value: BaseModel) -> bool:
        """It was set, to more than None."""
        above, _, name = self.path.rpartition(".")
        owner = value_at(value, above) if above else value
        return owner is not None and name in owner.model_fields_set and getattr(owner, name) is not None


class Equals(Predicate):
    """The field has one of these values."""

    def __init__(self, path: str, *values: str | bool | int) -> None:
        self._path = path
        self._values = values

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True also where the field is left out and its default is one of them."""
        field = field_at(model, self._path)
        guard, test = field.guard(at), equal(field.name(at), self._values)
        return either(negated(guard), test) if field.default in self._values else both(guard, test)

    def holds(self, value: BaseModel) -> bool:
        """Also by default."""
        return value_at(value, self._path) in self._values


@dataclass(frozen=True)
class Chosen(Predicate):
    """The field has another value than its default; of a list or a map, there is something in it."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where it is left out."""
        field = field_at(model, self.path)
        if isinstance(field.default, list | dict):
            return both(field.guard(at), f"{field.name(at)}.size() > 0")
        return both(field.guard(at), negated(equal(field.name(at), (field.default,))))

    def holds(self, value: BaseModel) -> bool:
        """False where it is left out."""
        return bool(value_at(value, self.path) != field_at(type(value), self.path).default)


@dataclass(frozen=True)
class ExactlyOne(Predicate):
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
class Some(Predicate):
    """The predicate holds of an item of a list."""

    path: str
    of_item: Predicate

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where there is no list."""
        field = field_at(model, self.path)
        return both(
            field.guard(at), f"{field.name(at)}.exists(item, {self.of_item.cel(field.model, 'item')})"
        )

    def holds(self, value: BaseModel) -> bool:
        """False of an empty one."""
        return any(map(self.of_item.holds, value_at(value, self.path)))


@dataclass(frozen=True)
class EachOnce(Predicate):
    """No two items of a list are the same."""

    path: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where there is no list."""
        field = field_at(model, self.path)
        name = field.name(at)
        each = f"{name}.all(item, {name}.exists_one(other, other == item))"
        return either(negated(field.guard(at)), each)

    def holds(self, value: BaseModel) -> bool:
        """True of an empty one."""
        items = value_at(value, self.path)
        return len(set(items)) == len(items)


@dataclass(frozen=True)
class KeysMatch(Predicate):
    """Each key of a map is at most so long, and matches the pattern, which RE2 and Python read alike."""

    path: str
    pattern: str
    max_length: int

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where there is no map."""
        field = field_at(model, self.path)
        each = f"size(key) <= {self.max_length} && key.matches({self.pattern!r})"
        return either(negated(field.guard(at)), f"{field.name(at)}.all(key, {each})")

    def holds(self, value: BaseModel) -> bool:
        """True of an empty one."""
        keys = value_at(value, self.path)
        return all(len(key) <= self.max_length and re.fullmatch(self.pattern, key) for key in keys)


@dataclass(frozen=True)
class NoKeyOf(Predicate):
    """No item of a list, or value of a map, is a key of another map."""

    path: str
    keys: str

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """True where one of both is left out."""
        field, keys = field_at(model, self.path), field_at(model, self.keys)
        name, guards = field.name(at), dict.fromkeys([field.guard(at), keys.guard(at)])
        item = f"{name}[item]" if isinstance(field.default, dict) else "item"
        return either(*map(negated, guards), f"{name}.all(item, !({item} in {keys.name(at)}))")

    def holds(self, value: BaseModel) -> bool:
        """True where one of both is empty."""
        items, keys = value_at(value, self.path) or (), value_at(value, self.keys)
        return not any(item in keys for item in (items.values() if isinstance(items, dict) else items))


@dataclass(frozen=True)
class Distinct(Predicate):
    """No item of a list has the same values in these fields as another one, nor as the value at `path`."""

    path: str
    items: str
    by: Sequence[str]

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """Of a list that the API server fills in."""
        one, many = field_at(model, self.path), field_at(model, self.items)
        item, name = Operand("item", many.model), many.name(at)
        once = f"{name}.exists_one(other, {same(self.by, item, Operand('other', many.model))})"
        return f"{name}.all(item, {both(negated(same(self.by, item, one.operand(at))), once)})"

    def holds(self, value: BaseModel) -> bool:
        """Of the value and each item."""
        keys = [_key(each, self.by) for each in (value_at(value, self.path), *value_at(value, self.items))]
        return len(set(keys)) == len(keys)


@dataclass(frozen=True)
class Among(Predicate):
    """The value at `path` has the same values in these fields as another one, or as an item of a list."""

    path: str
    other: str
    items: str
    by: Sequence[str]

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        """False where there is none at `path`."""
        one, other, many = (field_at(model, path) for path in (self.path, self.other, self.items))
        first = same(self.by, one.operand(at), other.operand(at))
        further = same(self.by, one.operand(at), Operand("item", many.model))
        return both(one.guard(at), either(first, f"{many.name(at)}.exists(item, {further})"))

    def holds(self, value: BaseModel) -> bool:
        """False where there is none at `path`."""
        one, others = value_at(value, self.path), (value_at(value, self.other), *value_at(value, self.items))
        return one is not None and _key(one, self.by) in {_key(each, self.by) for each in others}


@dataclass(frozen=True)
class _Both(Predicate):
    one: Predicate
    other: Predicate

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return both(self.one.cel(model, at), self.other.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return self.one.holds(value) and self.other.holds(value)


@dataclass(frozen=True)
class _Either(Predicate):
    one: Predicate
    other: Predicate

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return either(self.one.cel(model, at), self.other.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return self.one.holds(value) or self.other.holds(value)


@dataclass(frozen=True)
class _Not(Predicate):
    predicate: Predicate

    def cel(self, model: type[BaseModel], at: str = "self") -> str:
        return negated(self.predicate.cel(model, at))

    def holds(self, value: BaseModel) -> bool:
        return not self.predicate.holds(value)


def _key(value: BaseModel, fields: Iterable[str]) -> tuple[object, ...]:
    """What is there; None where nothing is, also for a field that the model lacks."""
    return tuple(_found(value, path.split(".")) for path in fields)


def _found(value: object, names: Sequence[str]) -> object:
    for name in names:
        value = getattr(value, name, None)
    return value
