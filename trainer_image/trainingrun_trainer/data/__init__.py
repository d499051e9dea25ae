"""Read labelled texts from files."""

from .labels import LabelRules
from .metadata import FieldValues
from .reading import PairReading, Reading, Wanted, require_common_labels, require_context
from .rows import listed
from .sources import KINDS, SUFFIXES, FetchedSource
from .tally import Tally, log_sources, source_counts

__all__ = [
    "KINDS",
    "SUFFIXES",
    "FetchedSource",
    "FieldValues",
    "LabelRules",
    "PairReading",
    "Reading",
    "Tally",
    "Wanted",
    "listed",
    "log_sources",
    "require_common_labels",
    "require_context",
    "source_counts",
]
