"""Find duplicates and near-duplicates of texts."""

from .duplicates import (
    Deduplicated,
    DuplicatePairs,
    Duplicates,
    deduplicate,
    examples,
    find_duplicates,
    without_duplicates_of,
)

__all__ = [
    "Deduplicated",
    "DuplicatePairs",
    "Duplicates",
    "deduplicate",
    "examples",
    "find_duplicates",
    "without_duplicates_of",
]
