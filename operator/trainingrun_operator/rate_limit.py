"""How often one run may report."""

import time

from .errors import ReportRefusedError
from .recent import Recent

PER_SECOND = 2.0
BURST = 5.0
# The least recent ones have refilled and say nothing any more.
MOST_REMEMBERED = 4096


class RateLimit:
    """A token bucket for each run."""

    def __init__(self) -> None:
        self._buckets = Recent[tuple[float, float]](MOST_REMEMBERED)

    def take(self, uid: str) -> None:
        """Count one report. Raises ReportRefusedError when there were too many."""
        now = time.monotonic()
        tokens, since = self._buckets.get(uid) or (BURST, now)
        tokens = min(BURST, tokens + (now - since) * PER_SECOND)
        self._buckets.keep(uid, (tokens - 1 if tokens >= 1 else tokens, now))
        if tokens < 1:
            raise ReportRefusedError(429, "rate_limited", f"at most {PER_SECOND:.0f} reports per second")
