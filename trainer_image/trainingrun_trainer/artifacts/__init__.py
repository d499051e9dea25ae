"""The object store: the only place that reads and writes s3:// and file:// URIs."""

from .commit import commit_folder, discard, fetch_committed, is_committed
from .patient_store import PatientStore, Trouble, growing_pauses
from .store import Store, is_pattern, matching, open_store
from .turn import Turn

__all__ = [
    "PatientStore",
    "Store",
    "Trouble",
    "Turn",
    "commit_folder",
    "discard",
    "fetch_committed",
    "growing_pauses",
    "is_committed",
    "is_pattern",
    "matching",
    "open_store",
]
