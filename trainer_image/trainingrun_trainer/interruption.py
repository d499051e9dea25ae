"""SIGTERM: ends the run at once, or, where there is something to save, as soon as that is saved."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from trainingrun_api.names import GRACE_SECONDS

from .errors import GraceOver, Interrupted

TO_END = 20
"""Seconds of the grace that are kept for telling trackers, operator and termination message."""


def _never() -> bool:
    return False


class Interruption:
    """Raises Interrupted where SIGTERM arrives, or, while it is put off, says that it has."""

    def __init__(self) -> None:
        self._asked = False
        self._put_off: Callable[[], bool] = _never

    def listen(self) -> None:
        """Heed the signals of this process."""
        signal.signal(signal.SIGTERM, self._arrive)
        signal.signal(signal.SIGALRM, self._run_out)

    @property
    def asked(self) -> bool:
        """Whether the run is to stop where it can be saved."""
        return self._asked

    @contextmanager
    def put_off(self, when: Callable[[], bool]) -> Iterator[None]:
        """Within, SIGTERM only makes `asked` true if `when` says so; GraceOver is raised when time runs out,
        and Interrupted at the end."""
        self._put_off = when
        try:
            yield
        finally:
            self._put_off = _never
        if self.asked:
            raise Interrupted

    def _arrive(self, signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the way out is not interrupted again
        self._asked = True
        if not self._put_off():
            raise Interrupted
        signal.alarm(GRACE_SECONDS - TO_END)

    def _run_out(self, signum: int, frame: FrameType | None) -> None:
        if self._put_off():
            raise GraceOver
