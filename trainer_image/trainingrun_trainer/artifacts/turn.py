"""Whose turn it is to write, where two pods of one run train at once."""

from uuid import uuid4

from ..errors import AlreadyWrittenError, ObjectMissingError
from .store import Store


class Turn:
    """Of a pod on a lost node and its successor, the one that began later writes."""

    def __init__(self, store: Store, uri: str) -> None:
        """It is kept in the object at `uri`."""
        self._store, self._uri = store, uri
        self._mine = uuid4().hex.encode()

    def take(self) -> bool:
        """Take it from whoever has it.

        False when the store has no conditional writes, and so takes both of two commits of the same folder at
        the same moment.
        """
        self._store.write(self._uri, b"")
        try:
            self._store.write(self._uri, self._mine, only_new=True)
        except AlreadyWrittenError:
            self._store.write(self._uri, self._mine)
            return True
        return False

    def require(self) -> None:
        """Raises AlreadyWrittenError when another pod has taken it since."""
        try:
            holder = self._store.read(self._uri)
        except ObjectMissingError:
            return  # deleted by hand
        if holder != self._mine:
            raise AlreadyWrittenError(
                f"another pod of this run has started since, and goes on in place of this one ({self._uri})"
            )
