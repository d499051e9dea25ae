"""What kubectl runs to complete `kubectl trainingrun …`."""

import os
import shlex
import sys

from .__main__ import app

FILES_OTHERWISE = ":0"
"""What the shell does where nothing is offered, as kubectl is told."""


def main() -> None:
    """Print what can stand in place of the last argument, and what to do where that is nothing."""
    words = ["trainingrun", *sys.argv[1:]]
    os.environ |= {
        "_TRAININGRUN_COMPLETE": "complete_bash",
        "COMP_WORDS": shlex.join(words[:-1]) + f" {words[-1]}",
        "COMP_CWORD": str(len(words) - 1),
    }
    try:
        app(prog_name="trainingrun")
    finally:
        print(FILES_OTHERWISE)
