"""What runs are trained by: the one place that says so."""

from .job import JobBackend
from .workload import Backend

BACKEND: Backend = JobBackend()
