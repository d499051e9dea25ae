"""Servers on loopback that live as long as a `with` statement."""

import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from localcluster import binaries


class Servers(ABC):
    """A context manager around programs with a folder; what was started ends also when a start fails."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        binaries.ensure(self._programs())
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            self._start(stack, folder)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def _programs(self) -> tuple[str, ...]:
        """Names of the programs it needs."""

    @abstractmethod
    def _start(self, stack: ExitStack, folder: Path) -> None:
        """Start them, with their files in `folder` and their ends on `stack`."""
