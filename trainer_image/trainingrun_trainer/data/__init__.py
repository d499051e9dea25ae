"""Read labelled texts from files."""

from .counts import log_sources, source_counts
from .fetched import FetchedSource
from .fields import listed
from .kinds import KINDS, SUFFIXES, rows
from .label_rules import LabelRules
from .metadata import FieldValues
from .pair_rows import PairReading
from .place import errors_of
from .reading import Reading, Wanted, require_common_labels, require_context
from .tally import Tally

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
    "errors_of",
    "listed",
    "log_sources",
    "require_common_labels",
    "require_context",
    "rows",
    "source_counts",
]
