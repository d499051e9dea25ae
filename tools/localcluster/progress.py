"""What a person sees while things are started: which step, what it waits for, how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say that `title` begins and, at its end, how many seconds it took."""
    started = time.monotonic()
    say(f"{title} …")
    yield
    say(f"{title}: done in {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    """Print a line for people; standard output stays free for what programs read."""
    print(text, file=sys.stderr, flush=True)
