"""What a user can learn from a run: pure functions from curves, counts and scores to findings.

A new kind of finding is a function from `Evidence` to findings, named in `CHECKS`.
"""

from .evidence import Evidence
from .findings import CHECKS, advise, advise_on_labels

__all__ = ["CHECKS", "Evidence", "advise", "advise_on_labels"]
