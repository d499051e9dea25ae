"""A store that is asked again while it doesn't answer, or refuses what it took before."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ..errors import AlreadyWrittenError, ObjectMissingError, StorageRefusedError, StorageUnavailableError
from .store import Store

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

FIRST_CONTACT_SECONDS = 300.0
"""Patience at most until the store has answered once: an address that never answered is more likely wrong."""

Trouble = StorageUnavailableError | StorageRefusedError
Answer = TypeVar("Answer")


def growing_pauses() -> Iterator[float]:
    """Seconds between two tries, each pause twice as long as the one before, up to a minute; endless."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _untold(trouble: Trouble | None, until: datetime) -> None:
    """Nobody wants to know."""


class PatientStore:
    """A Store that tries again, with growing pauses, for `patience` seconds, before it raises an error.

    What is refused is tried again too, once the store has answered: credentials may have been replaced.
    `tell` is called with each trouble and how long it is borne, and with None when it is over. Threads may
    share it.
    """

    def __init__(
        self,
        store: Store,
        patience: float,
        tell: Callable[[Trouble | None, datetime], None] = _untold,
    ) -> None:
        self.impatient = store
        """The same, which raises at once."""
        self._patience, self._tell = patience, tell
        self._answered = False
        self._given_up = threading.Event()
        self.trouble: Trouble | None = None
        """Why it doesn't answer now; None when it does."""

    def give_up(self) -> None:
        """Try nothing again any more."""
        self._given_up.set()

    def files(self, prefix: str) -> list[str]:
        return self._ask(lambda: self.impatient.files(prefix))

    def exists(self, uri: str) -> bool:
        return self._ask(lambda: self.impatient.exists(uri))

    def read(self, uri: str) -> bytes:
        return self._ask(lambda: self.impatient.read(uri))

    def write(self, uri: str, content: bytes, *, only_new: bool = False) -> None:
        """Write a small object; with only_new, one that is there raises AlreadyWrittenError."""
        try:
            self._ask(lambda: self.impatient.write(uri, content, only_new=only_new))
        except AlreadyWrittenError:
            # A try whose answer was lost has written it.
            if self.read(uri) != content:
                raise

    def download(self, uri: str, path: Path) -> None:
        self._ask(lambda: self.impatient.download(uri, path))

    def upload(self, path: Path, uri: str) -> None:
        self._ask(lambda: self.impatient.upload(path, uri))

    def delete(self, uris: list[str]) -> None:
        self._ask(lambda: self.impatient.delete(uris))

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        began, pauses = time.monotonic(), growing_pauses()
        while True:
            try:
                answer = ask()
            except (AlreadyWrittenError, ObjectMissingError):
                self._over()
                raise
            except (StorageUnavailableError, StorageRefusedError) as error:
                left, pause = self._borne(error) - (time.monotonic() - began), next(pauses)
                if pause > left:
                    raise
                self._in_trouble(error, left)
                if self._given_up.wait(pause):
                    raise
            else:
                self._over()
                return answer

    def _borne(self, error: Trouble) -> float:
        """Seconds that it is tried again."""
        if self._answered:
            return self._patience
        return 0.0 if isinstance(error, StorageRefusedError) else min(self._patience, FIRST_CONTACT_SECONDS)

    def _in_trouble(self, error: Trouble, left: float) -> None:
        self.trouble = error
        self._tell(error, datetime.now(UTC) + timedelta(seconds=left))

    def _over(self) -> None:
        self._answered = True
        if self.trouble is not None:
            self.trouble = None
            self._tell(None, datetime.now(UTC))
