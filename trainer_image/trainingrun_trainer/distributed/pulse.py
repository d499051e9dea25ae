"""Each process of a group shows that it lives, and ends when another one doesn't."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import torch.distributed as dist

from ..errors import PeerLostError, first_line
from .store import connect_as_told

BEAT_SECONDS = 2.0
SILENCE_SECONDS = 120.0
"""Without a beat from a process, after which it is taken for lost: nodes are lost without a word, and a busy
one may be slow for a minute."""

GRACE_SECONDS = 10.0
"""That this process has to end by itself, once the group is over: it may wait in an operation of its GPU."""

OVER = "over"
"""Key that says why the group is over."""


class Pulse(threading.Thread):
    """Beats in a thread with a connection of its own, and looks whether all others do."""

    def __init__(self, rank: int, size: int, lost: Callable[[str], None]) -> None:
        """`lost` is called when this process doesn't end by itself."""
        super().__init__(name="pulse", daemon=True)
        self._store = connect_as_told()
        self._rank = rank
        self._size = size
        self._lost = lost
        self._over = ""
        self._ended = threading.Event()

    def require(self) -> None:
        """Raises PeerLostError when the group is over."""
        if self._over:
            raise PeerLostError(self._over)

    def tell(self, why: str) -> None:
        """Say that the group is over, if anybody can hear it."""
        with suppress(dist.DistError):
            connect_as_told().set(OVER, why)

    def stop(self) -> None:
        """This process is done: its silence is no loss."""
        self._ended.set()
        self.join(BEAT_SECONDS)

    def run(self) -> None:
        beats, heard = [-1] * self._size, [time.monotonic()] * self._size
        while not self._ended.wait(BEAT_SECONDS):
            try:
                over = self._beat(beats, heard)
            except dist.DistError as error:
                over = f"process 0 can't be reached: {first_line(error)}"
            if over:
                self._end(over)
                return
        with suppress(dist.DistError):  # nobody may be left to hear it
            self._store.set(_done(self._rank), "done")

    def _beat(self, beats: list[int], heard: list[float]) -> str:
        """Show that this one lives, and hear the others; gives why the group is over, "" while it isn't."""
        self._store.add(_key(self._rank), 1)
        now = time.monotonic()
        for rank in range(self._size):
            beat = self._store.add(_key(rank), 0)
            if beat != beats[rank] or self._store.check([_done(rank)]):
                beats[rank], heard[rank] = beat, now
        silent = [rank for rank, last in enumerate(heard) if now - last > SILENCE_SECONDS]
        if silent:
            return f"process {silent[0]} has not been heard of for {SILENCE_SECONDS:.0f} s"
        return self._store.get(OVER).decode() if self._store.check([OVER]) else ""

    def _end(self, over: str) -> None:
        self._over = over
        if not self._ended.wait(GRACE_SECONDS):
            self._lost(over)


def _key(rank: int) -> str:
    return f"beat/{rank}"


def _done(rank: int) -> str:
    return f"done/{rank}"
