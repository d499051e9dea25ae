"""What was last heard of many objects, for as long as there is room."""

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A value for each UID; the least recently kept one makes room for a new one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, Value] = {}

    def get(self, uid: str) -> Value | None:
        """The last one that was kept; None if there is none, or no longer."""
        return self._values.get(uid)

    def keep(self, uid: str, value: Value) -> None:
        """In place of the one before."""
        self._values.pop(uid, None)
        self._values[uid] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
