"""From the loss of a process to the group's training again, by part."""

import os
import signal
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.processes.pod import Pod

SIGNS = {
    "Start of the program, until the data are read": "Data:",
    "Base model, tokens, optimizer": "Recipe:",
    "Checkpoint fetched and restored": "Resuming from",
}
"""What the log says when a part is over."""


@dataclass(frozen=True)
class Restart:
    """When each part was over, in seconds from the kill."""

    over: dict[str, float]

    def parts(self) -> dict[str, float]:
        """Seconds of each, and of all."""
        times = [0.0, *self.over.values()]
        each = [after - before for before, after in pairwise(times)]
        return dict(zip(self.over, each, strict=True)) | {"All, until the next step begins": times[-1]}


def measure_restart(folder: Path) -> Restart:
    """Kill one of two processes after the first epoch, and start the program again."""
    folder.mkdir()
    pod = Pod(folder, 2, maxEpochs=3)
    _until(pod, "Checkpoint of epoch 1 committed")
    os.kill(pod.workers()[1], signal.SIGKILL)
    killed = time.monotonic()
    pod.process.communicate()
    over = {"Until all processes have ended": time.monotonic() - killed}
    again = Pod(folder, 2, maxEpochs=3)
    for part, sign in SIGNS.items():
        _until(again, sign)
        over[part] = time.monotonic() - killed
    again.process.terminate()
    again.process.communicate()
    return Restart(over)


def _until(pod: Pod, sign: str) -> None:
    if not any(sign in line for line in pod.lines()):
        raise RuntimeError(f"the log never said {sign!r}")
