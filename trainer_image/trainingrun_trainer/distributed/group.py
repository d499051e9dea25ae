"""The processes that train one model together. A process alone is a group of one, to which all of this costs
nothing.

They run the same program in step. What takes one of them long is waited for in `meet`, however long it takes,
and not in a collective operation, which has a bound.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate.utils.memory import should_reduce_batch_size

from ..errors import PeerLostError, first_line
from .pulse import Pulse
from .store import PrefixStore, Store, connect_as_told

COLLECTIVE_SECONDS = 1800
"""Bound of a single operation of all processes. A lost process shows sooner: its connections close, or its
pulse stops."""

TELL_SECONDS = 2.0
"""That a process has to tell the others that it ends."""

LOOK_SECONDS = (0.005, 0.5)
"""Between two looks at who has arrived: the first, and the most."""

Value = TypeVar("Value")


class _Membership:
    """What this process knows of its group."""

    def __init__(self, store: Store, pulse: Pulse) -> None:
        self.store = store
        self.pulse = pulse
        self.meetings = 0


_membership: _Membership | None = None


def join(lost: Callable[[str], None]) -> None:
    """Become one of the processes that torchrun's launcher has started.

    `lost` is told, in a thread of its own, why the group is over, when this process can't end by itself.
    Raises PeerLostError where a process is missing.
    """
    global _membership  # noqa: PLW0603 - as torch.distributed has it: there is one group a process
    with peers():
        store = connect_as_told()
        own, all_ = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        gpus = torch.cuda.is_available()
        if gpus:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if gpus else "gloo",
            store=PrefixStore("group", store),
            rank=own,
            world_size=all_,
            timeout=timedelta(seconds=COLLECTIVE_SECONDS),
        )
    pulse = Pulse(own, all_, lost)
    pulse.start()
    _membership = _Membership(store, pulse)


def leave() -> None:
    """End as one of the group, once all have done what is to be done together."""
    global _membership  # noqa: PLW0603
    if _membership is not None:
        _membership.pulse.stop()
        _membership = None
        dist.destroy_process_group()


def tell_over(why: str) -> None:
    """Have the others end, which may wait for this process where nothing shows that it has ended."""
    if _membership is not None:
        # In a thread, since node 0 may be gone without a word.
        telling = threading.Thread(target=_membership.pulse.tell, args=(why,), daemon=True)
        telling.start()
        telling.join(TELL_SECONDS)


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """Number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that reports, uploads and writes."""
    return rank() == 0


@contextmanager
def peers() -> Iterator[None]:
    """Raise PeerLostError for what torch.distributed raises when another process is gone."""
    try:
        yield
    except RuntimeError as error:
        # Without the place in gloo's source that it begins with.
        raise PeerLostError(re.sub(r"^\[\S+\] ", "", first_line(error))) from error


def agree(value: int) -> int:
    """The highest of what the processes wish for."""
    if size() == 1:
        return value
    highest = torch.tensor(value)
    with peers():
        dist.all_reduce(highest, dist.ReduceOp.MAX)
    return int(highest)


@contextmanager
def together() -> Iterator[None]:
    """Within, memory is short for all processes when it is for one: each raises an error that says so.

    No collective operation may stand within: one that has failed would not take part.
    """
    short: RuntimeError | None = None
    try:
        yield
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        short = error
    anywhere = agree(int(short is not None))
    if short is not None:
        raise short
    if anywhere:
        raise torch.OutOfMemoryError("CUDA out of memory. Another process of the run ran out of memory")


def from_first(value: Value) -> Value:
    """What the first process has; it alone may take long to come here only within `at_first`."""
    if size() == 1:
        return value
    box: list[Any] = [value if is_first() else None]
    with peers():
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    first: Value = box[0]
    return first


def at_first(make: Callable[[], Value]) -> Value | None:
    """What `make` gives at the first process, None at the others, which wait. All raise what it raises."""
    if size() == 1:
        return make()
    made, error = None, None
    if is_first():
        try:
            made = make()
        except Exception as raised:  # noqa: BLE001 - all processes raise it
            error = raised
    meet()
    error = from_first(error)
    if error is not None:
        raise error
    return made


def by_first(make: Callable[[], Value]) -> Value:
    """What `make` gives at the first process, at all of them. All raise what it raises."""
    made: Value = from_first(at_first(make))  # type: ignore[assignment]
    return made


def gather_objects(value: Value) -> list[Value]:
    """What each process has, at the first one; its own alone at the others. For small ones."""
    if size() == 1:
        return [value]
    values: list[Any] | None = [None] * size() if is_first() else None
    with peers():
        dist.gather_object(value, values, dst=0)
    return [value] if values is None else values


def meet() -> None:
    """Wait until all processes have come here, for as long as they live."""
    if _membership is None:
        return
    _membership.meetings += 1
    key, pause = f"meeting/{_membership.meetings}", LOOK_SECONDS[0]
    with peers():
        _membership.store.add(key, 1)
        while _membership.store.add(key, 0) < size():
            _membership.pulse.require()
            time.sleep(pause)
            pause = min(2 * pause, LOOK_SECONDS[1])
