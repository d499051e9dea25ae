"""Find copies and near-copies of texts."""

from .copies import Copies, find_copies
from .examples import examples
from .unique import Deduplicated, Pairs, deduplicate, without_copies_of

__all__ = ["Copies", "Deduplicated", "Pairs", "deduplicate", "examples", "find_copies", "without_copies_of"]
