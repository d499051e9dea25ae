"""Tell a lack of memory from other errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..errors import OutOfMemoryError

CPU_ALLOCATOR = "DefaultCPUAllocator"
"""torch raises a plain RuntimeError with this word when the CPU's memory is at an end."""

ADVICE = "lower spec.training.batchSize or maxSequenceLength, or raise spec.resources.memory"


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
