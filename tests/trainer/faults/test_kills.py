"""The trainer killed at random moments of every stage: it ends as if nothing had been."""

import random
import re
import signal
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from promises import Promise, forms

from trainingrun_api.names import ExitCode
from trainingrun_api.run_config import RunConfig

from .attempts import Attempt
from .conftest import World
from .outcome import outcome

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

LINE = re.compile(r"^(?P<time>\S+ \S+) [A-Z]+ (?P<words>.{1,24})", re.MULTILINE)
COMMITTED = re.compile(r"Checkpoint of (.+) committed: \S+/checkpoints/")
RESUMED = re.compile(r"Resuming from the checkpoint of (.+)")

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
STARTING_SECONDS = 0.5


class Moment(NamedTuple):
    """When a signal is sent: some seconds after a line of the log."""

    words: str
    """How the line begins; "" for the start of the process."""
    seconds: float
    signum: signal.Signals


class Sweep(NamedTuple):
    """Through every `stride`th moment, the moments being chosen by chance, for each of these seeds."""

    seeds: range
    stride: int


def moments(log: str, seed: int) -> list[Moment]:
    """One for each line of an undisturbed log, at random before the next, in the order of the stages."""
    chance = random.Random(seed)
    found = list(LINE.finditer(log))
    times = [datetime.fromisoformat(line["time"].replace(",", ".")) for line in found]
    spans = {"": STARTING_SECONDS} | {
        line["words"]: (after - before).total_seconds()
        for line, (before, after) in zip(found[:-1], pairwise(times), strict=True)
    }
    return [Moment(words, chance.random() * span, chance.choice(SIGNALS)) for words, span in spans.items()]


def order(place: str) -> tuple[int, int, int]:
    """Sorts the places of checkpoints as training comes to them."""
    if found := re.fullmatch(r"step (\d+) of the similarity stage", place):
        return 0, 0, int(found[1])
    if found := re.fullmatch(r"step (\d+), in epoch (\d+)", place):
        return 1, int(found[2]) - 1, int(found[1])
    return 1, int(place.removeprefix("epoch ")), 0


class Killed:
    """A run, killed at some moments and started again after each, until an attempt comes to the end."""

    def __init__(self, config: RunConfig, folder: Path, keys: dict[str, str]) -> None:
        self.config, self._folder, self._keys = config, folder, keys
        self.kills = 0
        self._committed: str | None = None

    def attempt(self, moment: Moment | None = None) -> bool:
        """One attempt, killed then; True when it came to the end before."""
        attempt = Attempt(self.config, self._folder, self._keys)
        if moment is not None and attempt.until(moment.words):
            time.sleep(moment.seconds)
            attempt.send(moment.signum)
        code = attempt.end()
        self._compare(attempt.log)
        if code != ExitCode.OK:
            assert moment is not None, attempt.log
            assert code == 128 + moment.signum, attempt.log
            self.kills += 1
        return code == ExitCode.OK

    def _compare(self, log: str) -> None:
        """Nothing that was committed before is done again."""
        resumed, committed = RESUMED.search(log), COMMITTED.findall(log)
        if self._committed is not None and "Recipe:" in log and (resumed or committed):
            assert resumed is not None, log
            assert order(resumed[1]) >= order(self._committed)
        self._committed = committed[-1] if committed else self._committed


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("sweep", forms(Sweep(range(1), stride=6), Sweep(range(12), stride=1)))
def test_a_run_that_is_killed_wherever_ends_as_an_undisturbed_one_and_loses_no_checkpoint(
    world: World, keys: dict[str, str], sweep: Sweep, tmp_path: Path, promise: Promise
) -> None:
    kills = runs = 0
    for seed in sweep.seeds:
        planned = moments(world.log, seed)[:: sweep.stride]
        while planned:
            runs += 1
            killed = Killed(world.run_at(f"killed-{sweep.stride}-{runs}"), tmp_path / str(runs), keys)
            while planned and not killed.attempt(planned.pop(0)):
                pass
            assert killed.attempt()
            assert outcome(killed.config, world.storage) == world.outcome
            kills += killed.kills
    assert kills
    promise(
        "Trainer",
        "A run killed by SIGKILL and SIGTERM at random moments of every stage ends with weights, scores and "
        "predictions of an undisturbed one, to the bit, and goes on from the last committed checkpoint",
        f"{kills} kills in {runs} runs",
    )
