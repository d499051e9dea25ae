"""Training embeddings: texts that belong together come near each other."""

from .contrast import LabelContrast
from .stage import stage_before, stage_steps

__all__ = ["LabelContrast", "stage_before", "stage_steps"]
