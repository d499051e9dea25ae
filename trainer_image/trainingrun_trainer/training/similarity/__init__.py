"""Training embeddings: texts that belong together come near each other."""

from .columns import EncodedColumns
from .contrast import LabelContrast, embed_texts
from .pairs import PairObjective, RankedTexts, ScoredPairs
from .stage import few_texts, stage_before, stage_steps

__all__ = [
    "EncodedColumns",
    "LabelContrast",
    "PairObjective",
    "RankedTexts",
    "ScoredPairs",
    "embed_texts",
    "few_texts",
    "stage_before",
    "stage_steps",
]
