"""What a user can learn from how training went: pure functions from curves and counts to findings.

A new kind of finding is a function from `Course` to findings, named in `CHECKS`.
"""

from .course import Course
from .findings import CHECKS, advise

__all__ = ["CHECKS", "Course", "advise"]
