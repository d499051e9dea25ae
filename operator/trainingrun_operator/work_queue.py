"""A queue of run keys: each at most once, worked on by one at a time, again after errors and deadlines."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import count

from .errors import LeaseInDoubtError
from .resources import RunKey

logger = logging.getLogger(__name__)

# Requests are waited for most of the time; the client has 100 connections.
WORKERS = 32
FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 60.0
# A Lease that is in doubt is renewed every two seconds, and nothing has been asked of the API server.
DOUBT_SECONDS = 1.0

Work = Callable[[RunKey], Awaitable[float | None]]


class WorkQueue:
    """Calls `work` for keys; it returns after how many seconds it wants to see the key again, if at all."""

    def __init__(self) -> None:
        self._ready: asyncio.PriorityQueue[tuple[bool, int, RunKey]] = asyncio.PriorityQueue()
        self._turns = count()
        self._waiting: dict[RunKey, float] = {}  # since when, the oldest first
        self._working: dict[RunKey, float] = {}
        self._timers: dict[RunKey, asyncio.TimerHandle] = {}
        self._failures: dict[RunKey, int] = {}

    def add(self, key: RunKey, *, first: bool = False) -> None:
        """Work on it soon, before all that are not to be `first`; once more if it is being worked on now."""
        if key not in self._waiting:
            self._waiting[key] = time.monotonic()
            if key not in self._working:
                self._line_up(key, first=first)

    @property
    def depth(self) -> int:
        """Keys that wait."""
        return len(self._waiting)

    def longest_wait(self) -> float:
        """Seconds since when the oldest key waits."""
        now = time.monotonic()
        return now - next(iter(self._waiting.values()), now)

    def longest_work(self) -> float:
        """Seconds since when the slowest key is worked on."""
        return time.monotonic() - min(self._working.values(), default=time.monotonic())

    async def run(self, work: Work) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._serve(work))

    async def _serve(self, work: Work) -> None:
        while True:
            *_, key = await self._ready.get()
            del self._waiting[key]
            self._working[key] = time.monotonic()
            try:
                again = await self._attempt(work, key)
            finally:
                del self._working[key]
            self._schedule(key, again)

    async def _attempt(self, work: Work, key: RunKey) -> float | None:
        try:
            again = await work(key)
        except LeaseInDoubtError:
            return DOUBT_SECONDS
        except Exception as error:
            # One run's trouble must not stop the others.
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            delay = min(FIRST_RETRY_SECONDS * 2.0 ** (failures - 1), LAST_RETRY_SECONDS)
            level = logging.INFO if failures == 1 else logging.WARNING
            logger.log(level, "%s/%s: retrying in %.1f s: %s", *key, delay, error, exc_info=failures > 3)
            return delay
        self._failures.pop(key, None)
        return again

    def _line_up(self, key: RunKey, *, first: bool = False) -> None:
        self._ready.put_nowait((not first, next(self._turns), key))

    def _schedule(self, key: RunKey, again: float | None) -> None:
        if key in self._waiting:
            self._line_up(key)
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if again is not None:
            self._timers[key] = asyncio.get_running_loop().call_later(again, self.add, key)
