"""Training embeddings: texts that belong together come near each other."""

from .stage import similarity_stage, stage_steps

__all__ = ["similarity_stage", "stage_steps"]
