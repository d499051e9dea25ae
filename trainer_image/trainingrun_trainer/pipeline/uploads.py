"""Uploads beside training: while one goes on, another waits at most."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from ..artifacts import PatientStore
from ..errors import GraceOver

LOOK_SECONDS = 1.0


class Uploads:
    """Does one after the other in a thread of its own, within the `with` block.

    While the store is in trouble, a new one takes the place of the one that waits; else all are done. What
    fails is raised by the next call.
    """

    def __init__(self, store: PatientStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="uploads")
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._store.give_up()
        self._thread.shutdown(wait=not isinstance(error, GraceOver))

    def add(self, upload: Callable[[], None]) -> None:
        """Have it done; waits while another one waits already and the store answers."""
        self._collect()
        while len(self._futures) > 1 and not self._replaced():
            wait(self._futures, LOOK_SECONDS, FIRST_COMPLETED)
            self._collect()
        self._futures.append(self._thread.submit(upload))

    def finish(self) -> None:
        """Wait until all are done."""
        wait(self._futures)
        self._collect()

    def _replaced(self) -> bool:
        return self._store.trouble is not None and self._futures[-1].cancel()

    def _collect(self) -> None:
        ended = [future for future in self._futures if future.done()]
        self._futures = [future for future in self._futures if future not in ended]
        for future in ended:
            if not future.cancelled():
                future.result()
