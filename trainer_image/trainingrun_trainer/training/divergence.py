"""Losses that are not finite: training has gone where there is no way back from."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ModelError, SettingsError


class DivergedError(SettingsError):
    """A loss, or what it is made of, is not finite; fails the run if it has no epoch to publish."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not finite; lower spec.training.learningRate")
        self.what = what


def finite(value: float, name: str) -> float:
    """The value, if it is a number; raises DivergedError, which calls it by `name`, if it is none."""
    if not math.isfinite(value):
        raise DivergedError(name)
    return value


@contextmanager
def untrained() -> Iterator[None]:
    """Raise ModelError for what is not finite before any training: no learning rate can have made it so."""
    try:
        yield
    except DivergedError as error:
        raise ModelError(
            f"spec.baseModel: {error.what} is not finite before any training, so the base model is broken; "
            "choose another, or a good copy of it"
        ) from None
