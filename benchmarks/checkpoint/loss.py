"""What is trained again after SIGKILL and after SIGTERM."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data.texts import texts

from trainingrun_api.run_config import Storage

MINUTES = 1
"""Between two checkpoints."""

BEFORE_KILL, BEFORE_TERM = 100.0, 20.0
"""Seconds of training before each signal: the first comes between two checkpoints."""

TEXTS, LABELS = 4_000, 10


@dataclass(frozen=True)
class End:
    """How an attempt ended, and how the next one began."""

    signal: str
    trained: float
    """Seconds from its first step to the signal."""
    steps: int
    """Steps done, over all attempts."""
    resumed: int
    """Step that the next attempt went on after."""
    lost: float
    """Seconds from when that step was done to the signal."""
    away: float
    """Seconds from the signal to the next attempt's first step; it is started at once."""


@dataclass(frozen=True)
class Loss:
    """By SIGKILL, then by SIGTERM."""

    interval: float
    """Seconds between two checkpoints."""
    ends: tuple[End, End]


@dataclass(frozen=True)
class Step:
    """A step that was done, by the monotonic clock that all processes share."""

    at: float
    number: int


class Attempt:
    """A process that trains."""

    def __init__(self, config: Path, steps: Path) -> None:
        self._steps = steps
        command = [sys.executable, "-m", "benchmarks.checkpoint.child", str(config), str(steps)]
        self._process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})

    def steps(self) -> list[Step]:
        """Those that it has done itself."""
        lines = self._steps.read_text().splitlines() if self._steps.exists() else []
        rows = (line.split() for line in lines if line.count(" ") == 2)
        return [Step(float(at), int(number)) for at, number, done in rows if done == "1"]

    def trains_for(self, seconds: float) -> None:
        """Wait until it has."""
        self._wait(lambda: bool(self.steps()))
        began = self.steps()[0].at
        self._wait(lambda: time.monotonic() >= began + seconds)

    def _wait(self, until: Callable[[], bool]) -> None:
        while not until():
            if self._process.poll() is not None:
                raise RuntimeError(f"the run ended with status {self._process.returncode}")
            time.sleep(0.05)

    def end(self, by: signal.Signals) -> float:
        """Signal it and wait; gives when it was signalled."""
        at = time.monotonic()
        self._process.send_signal(by)
        self._process.wait()
        return at


def measure_loss(storage: Storage, prefix: str, work: Path) -> Loss:
    """End the run in two ways, each time starting another attempt at once."""
    config = _config(storage, prefix, work)
    first = Attempt(config, work / "steps-1")
    first.trains_for(BEFORE_KILL)
    killed = first.end(signal.SIGKILL)
    second = Attempt(config, work / "steps-2")
    second.trains_for(BEFORE_TERM)
    stopped = second.end(signal.SIGTERM)
    third = Attempt(config, work / "steps-3")
    third.trains_for(0)
    third.end(signal.SIGKILL)
    ends = (_end("SIGKILL", first, killed, second), _end("SIGTERM", second, stopped, third))
    return Loss(60.0 * MINUTES, ends)


def _end(name: str, attempt: Attempt, at: float, after: Attempt) -> End:
    steps, again = attempt.steps(), after.steps()[0]
    kept = [step for step in steps if step.number < again.number]
    return End(
        signal=name,
        trained=at - steps[0].at,
        steps=steps[-1].number,
        resumed=again.number - 1,
        lost=max(at - kept[-1].at, 0.0),  # of what was done when it came
        away=again.at - at,
    )


def _config(storage: Storage, prefix: str, work: Path) -> Path:
    data = work / "texts.jsonl"
    with data.open("w") as file:
        for n, text in enumerate(texts(TEXTS)):
            file.write(json.dumps({"text": f"{text} {n}", "label": f"label {n % LABELS}"}) + "\n")
    path = work / "config.json"
    config = {
        "run": {"namespace": "benchmark", "name": "loss", "uid": "1"},
        "modelName": "loss",
        "taskType": "Classification",
        "dataset": {"uri": data.as_uri()},
        "skipDuplicates": False,
        "trainPercent": 95,
        "training": {"maxEpochs": 20, "checkpoint": {"everyEpochs": 20, "everyMinutes": MINUTES}},
        "outputPrefix": prefix,
        "storage": storage.model_dump(mode="json"),
    }
    path.write_text(json.dumps(config))
    return path
