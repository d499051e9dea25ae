"""The queue: one at a time for each run, nothing lost, errors tried again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from trainingrun_operator import work_queue
from trainingrun_operator.errors import LeaseInDoubtError
from trainingrun_operator.resources import RunKey
from trainingrun_operator.work_queue import WorkQueue

KEY = RunKey("team", "tickets")


@asynccontextmanager
async def working(work: Callable[[RunKey], Awaitable[float | None]]) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue()
    task = asyncio.create_task(queue.run(work))
    async with asyncio.timeout(30):
        yield queue
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_key_that_changes_while_it_is_worked_on_is_worked_on_once_more() -> None:
    started, go_on, twice = asyncio.Event(), asyncio.Event(), asyncio.Event()
    calls = at_once = 0

    async def work(key: RunKey) -> None:
        nonlocal calls, at_once
        calls, at_once = calls + 1, at_once + 1
        assert at_once == 1
        started.set()
        await go_on.wait()
        at_once -= 1
        if calls == 2:
            twice.set()

    async with working(work) as queue:
        queue.add(KEY)
        await started.wait()
        for _ in range(5):
            queue.add(KEY)
        go_on.set()
        await twice.wait()
    assert calls == 2


async def test_error_is_tried_again() -> None:
    done, calls = asyncio.Event(), 0

    async def work(key: RunKey) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise RuntimeError("the API server is away")
        done.set()

    async with working(work) as queue:
        queue.add(KEY)
        await done.wait()


async def test_lease_in_doubt_makes_no_try_later_than_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_queue, "DOUBT_SECONDS", 0.01)
    done, calls = asyncio.Event(), 0

    async def work(key: RunKey) -> None:
        nonlocal calls
        calls += 1
        if calls < 20:
            raise LeaseInDoubtError
        done.set()

    async with working(work) as queue:
        queue.add(KEY)
        await done.wait()


async def test_deadline_brings_a_key_back() -> None:
    done, calls = asyncio.Event(), 0

    async def work(key: RunKey) -> float | None:
        nonlocal calls
        calls += 1
        if calls == 2:
            done.set()
        return 0.01 if calls == 1 else None

    async with working(work) as queue:
        queue.add(KEY)
        await done.wait()


async def test_what_is_to_be_first_is_worked_on_before_what_came_earlier() -> None:
    order: list[str] = []
    done = asyncio.Event()

    async def work(key: RunKey) -> None:
        order.append(key.name)
        if len(order) == 3:
            done.set()

    async with working(work) as queue:
        queue.add(RunKey("team", "running"))
        queue.add(RunKey("team", "ended"))
        queue.add(RunKey("team", "new"), first=True)
        await done.wait()
    assert order == ["new", "running", "ended"]


async def test_what_waits_is_known_and_since_when() -> None:
    started, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(key: RunKey) -> None:
        started.set()
        await go_on.wait()
        done.set()

    async with working(work) as queue:
        assert (queue.depth, queue.longest_wait()) == (0, 0.0)
        queue.add(KEY)
        await started.wait()
        assert queue.depth == 0, "it is worked on"
        queue.add(KEY)
        await asyncio.sleep(0.02)
        assert queue.depth == 1
        assert queue.longest_wait() >= 0.02
        go_on.set()
        await done.wait()
