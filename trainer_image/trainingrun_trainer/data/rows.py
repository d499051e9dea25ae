"""One row, whatever the format of its file."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

MAX_DEPTH = 16
"""Objects inside objects whose fields have a path; those further inside are values."""


class Row(NamedTuple):
    """One row as it stands in the file."""

    place: str
    """Where it stands, for messages."""
    values: dict[str, Any]
    """At least the fields that are asked for, as far as the row has them."""
    others: Callable[[], dict[str, Any]] = dict
    """Gives what is in the file besides and wasn't read for its own sake, by path."""

    def fields(self) -> Iterator[tuple[str, Any]]:
        """All fields with their values, those inside objects by dotted paths."""
        yield from _flat(self.values, "", MAX_DEPTH)
        yield from self.others().items()

    def names(self) -> Iterator[str]:
        """Names of all fields, those inside objects as dotted paths."""
        return (name for name, _ in self.fields())


def _flat(values: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value and depth:
            yield from _flat(value, f"{prefix}{name}.", depth - 1)
        else:
            yield f"{prefix}{name}", value
