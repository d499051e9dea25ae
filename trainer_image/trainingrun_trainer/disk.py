"""The disk of the machine, which may be full."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import DiskFullError, TrainerError

FULL = ("No space left on device", "Disk quota exceeded", "file write failed")
"""Of what Python, safetensors and torch raise where a file can't be written to its end."""


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise DiskFullError for the errors of Python and libraries that mean it."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:
        if not any(words in str(error) for words in FULL):
            raise
        raise DiskFullError(
            f"no space left in {tempfile.gettempdir()}, where data, base model and checkpoints are kept in "
            "training: free the node's disk, or have the run placed on a node with more; fewer texts or a "
            "smaller base model take less"
        ) from None
