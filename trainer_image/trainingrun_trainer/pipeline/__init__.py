"""One run from data to published model: the only place that orders the stages."""

from .run import Listener, run

__all__ = ["Listener", "run"]
