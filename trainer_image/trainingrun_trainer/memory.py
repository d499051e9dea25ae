"""The memory of the machine, whose lack is noticed before the kernel ends the process for it."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import settings
from .errors import OutOfMemoryError

WORDS = ("DefaultCPUAllocator", "std::bad_alloc", "could not create a primitive", "could not create a memory")
"""Of the plain RuntimeErrors that torch raises for a lack of the CPU's memory. The latter two are oneDNN's,
which fails from then on whatever memory there is: smaller batches are of no help any more."""

GPU_WORDS = "out of memory"
"""Of the RuntimeErrors that torch raises for a lack of a GPU's memory. Importing torch, to know them by their
type, takes seconds, and data are read without it."""

LESS_AT_ONCE = "lower spec.training.batchSize or maxSequenceLength"

SHARE = 0.95
"""Of the container's memory: the kernel counts some things that the process doesn't."""


def lacks_memory(error: BaseException) -> bool:
    """Whether this is what the error means."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, MemoryError) or _of_a_gpu(error):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)


def _of_a_gpu(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and GPU_WORDS in str(error)


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
    except (MemoryError, RuntimeError, OSError) as error:
        if _of_a_gpu(error):
            raise OutOfMemoryError(f"out of GPU memory; {LESS_AT_ONCE}") from None
        if not lacks_memory(error):
            raise
        raise OutOfMemoryError(f"out of memory; raise spec.resources.memory, or {advice}") from None
