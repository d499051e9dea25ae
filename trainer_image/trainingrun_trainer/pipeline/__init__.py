"""One run from data to published model: the only place that orders the stages."""

from .run import run
from .tracker import Listener

__all__ = ["Listener", "run"]
