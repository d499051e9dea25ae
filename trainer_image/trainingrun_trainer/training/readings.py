"""What steps come to: it stays on the device until several are read at once."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..distributed import sum_numbers
from .history import StepDone
from .passes import finite

STEPS_ON_GPU = 16
"""That a GPU's steps are read after: to read, the process waits until the GPU has done all that it was given,
and gives it nothing to do meanwhile."""


def steps_to_a_reading(device: torch.device) -> int:
    """Steps that are read at once; a CPU has done each when the next one begins."""
    return 1 if device.type == "cpu" else STEPS_ON_GPU


class Taken(NamedTuple):
    """An optimizer step, whose numbers may still be on their way."""

    step: int
    texts: int
    loss: Tensor
    """This process's part of the mean, double precision."""
    norm: Tensor
    """Of the gradient."""
    learning_rate: float


class Readings:
    """The steps that are taken and not yet read."""

    def __init__(self, steps: int) -> None:
        """`steps` are read at once."""
        self._steps = steps
        self._taken: list[Taken] = []
        self.restart()

    def restart(self) -> None:
        """Have the next steps' time begin now."""
        self._began = time.monotonic()

    def add(self, taken: Taken) -> None:
        self._taken.append(taken)

    @property
    def due(self) -> bool:
        """Whether as many steps are taken as are read at once."""
        return len(self._taken) >= self._steps

    def read(self) -> Iterator[StepDone]:
        """Those taken since the reading before, in their order, each with the same share of the time.

        Raises DivergedError at the first that isn't finite; those before it are given.
        """
        taken, self._taken = self._taken, []
        if not taken:
            return
        # One tensor, so that the device is waited for once.
        numbers = torch.stack([*(one.loss for one in taken), *(one.norm.double() for one in taken)]).tolist()
        losses, norms = sum_numbers(*numbers[: len(taken)]), numbers[len(taken) :]
        seconds = (time.monotonic() - self._began) / len(taken)
        for one, loss, norm in zip(taken, losses, norms, strict=True):
            finite(loss, f"the training loss of step {one.step}")
            finite(norm, f"the gradient of step {one.step}")
            yield StepDone(one.step, one.texts, loss, one.learning_rate, norm, seconds)
