"""One run from data to published model: the only place that orders the stages."""

from .progress import Listener
from .run import run

__all__ = ["Listener", "run"]
