"""A lack of memory: told with what to change, and noticed before the kernel ends the process for it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from .. import settings
from ..errors import OutOfMemoryError
from ..shortage import lacks_memory

LESS_AT_ONCE = "lower spec.training.batchSize or maxSequenceLength"

SHARE = 0.95
"""Of the container's memory: the kernel counts some things that the process doesn't."""


@contextmanager
def within_limit() -> Iterator[None]:
    """Have the CPU's memory end before the container's does: training goes on in smaller parts then, and what
    else needs it fails with a reason.

    The kernel would end the process when it writes to memory that it was given long before.
    """
    limit = settings.memory_limit()
    if limit is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_most_data(limit), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _most_data(limit: int) -> int:
    """Bytes of private memory, as RLIMIT_DATA counts it, when the process uses SHARE of `limit`.

    Much of it never is: stacks of threads, room of allocators. What there is of that now doesn't count.
    """
    pages = Path("/proc/self/statm").read_text().split()
    resident, shared, data = (int(pages[column]) * resource.getpagesize() for column in (1, 2, 5))
    return max(data + int(limit * SHARE) - (resident - shared), data)


@contextmanager
def memory_errors(advice: str) -> Iterator[None]:
    """Raise OutOfMemoryError, with what to change, for the errors of Python and libraries that mean it.

    `advice` is what else may help where the CPU's memory is short, such as LESS_AT_ONCE.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise OutOfMemoryError(f"the GPU's memory is not enough; {LESS_AT_ONCE}") from None
    except (MemoryError, RuntimeError, OSError) as error:
        if not lacks_memory(error):
            raise
        raise OutOfMemoryError(f"memory is not enough; raise spec.resources.memory, or {advice}") from None
