"""Losses that are no numbers: training has gone where there is no way back from."""

import math

from ..errors import SettingsError


class DivergedError(SettingsError):
    """A loss, or what it is made of, is no number any more; fails the run if it has no epoch to publish."""


def finite(value: float, name: str) -> float:
    """The value, if it is a number; raises DivergedError, which calls it by `name`, if it is none."""
    if not math.isfinite(value):
        raise DivergedError(f"{name} is no number any more; lower spec.training.learningRate")
    return value
