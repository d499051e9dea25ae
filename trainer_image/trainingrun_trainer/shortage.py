"""A lack of memory, told from other errors of the libraries."""

import errno

import torch

WORDS = ("DefaultCPUAllocator", "std::bad_alloc", "could not create a primitive", "could not create a memory")
"""Of the plain RuntimeErrors that torch raises for a lack of the CPU's memory. The latter two are oneDNN's,
which fails from then on whatever memory there is: smaller batches are of no help any more."""


def lacks_memory(error: BaseException) -> bool:
    """Whether this is what the error means."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)
