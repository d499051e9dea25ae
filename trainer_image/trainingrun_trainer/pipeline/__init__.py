"""One run from data to published model: the only place that orders the stages."""

from .gpus import lacking_gpus, require_gpus
from .progress import Listener
from .run import run

__all__ = ["Listener", "lacking_gpus", "require_gpus", "run"]
