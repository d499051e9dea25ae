"""Find copies and near-copies of texts."""

from .copies import Copies, CopyPairs, Deduplicated, deduplicate, examples, find_copies, without_copies_of

__all__ = [
    "Copies",
    "CopyPairs",
    "Deduplicated",
    "deduplicate",
    "examples",
    "find_copies",
    "without_copies_of",
]
