"""A lack of memory: told from other errors, and noticed before the kernel ends the process for it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from .. import settings
from ..errors import OutOfMemoryError

CPU_ALLOCATOR = "DefaultCPUAllocator"
"""torch raises a plain RuntimeError with this word when the CPU's memory is at an end."""

ADVICE = "lower spec.training.batchSize or maxSequenceLength, or raise spec.resources.memory"

SHARE = 0.95
"""Of the container's memory: the kernel counts some things that the process doesn't."""


@contextmanager
def within_limit() -> Iterator[None]:
    """Have the CPU's memory end before the container's does, where training goes on in smaller parts.

    The kernel would end the process when it writes to memory that it was given long before. On a GPU, batches
    take the memory of that.
    """
    limit = settings.memory_limit()
    if limit is None or torch.cuda.is_available():
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
def memory_errors() -> Iterator[None]:
    """Raise OutOfMemoryError, with what to change, for the errors of Python, torch and CUDA that mean it."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise OutOfMemoryError(
            "the GPU's memory is not enough; lower spec.training.batchSize or maxSequenceLength"
        ) from None
    except MemoryError:
        raise OutOfMemoryError(f"memory is not enough; {ADVICE}") from None
    except RuntimeError as error:
        if CPU_ALLOCATOR not in str(error):
            raise
        raise OutOfMemoryError(f"memory is not enough; {ADVICE}") from None
