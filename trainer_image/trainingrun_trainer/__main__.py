"""The trainer pod's program, which heeds SIGTERM from its first moment on."""

import signal
import sys
from types import FrameType


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(128 + signum)  # nothing has begun that would have to be saved


if __name__ == "__main__":
    # The first process of a container ignores SIGTERM until it has a handler: a pod that is deleted while
    # modules are imported would stay for its whole grace period.
    signal.signal(signal.SIGTERM, _leave)
    from .program import run

    sys.exit(run())
