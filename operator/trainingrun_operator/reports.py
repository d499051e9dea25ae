"""The latest report of each run, written onto the run at most once every few seconds."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from itertools import takewhile

from trainingrun_api.progress import ProgressReport, RunIdentity
from trainingrun_api.status import Phase, TrainingRunStatus

from .cache import Known
from .cluster import Cluster
from .errors import ApiError
from .kinds import RUNS
from .resources import Manifest, parse_time

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""Least time between two writes of a run."""
WRITES_A_SECOND = 100
"""Of all runs together, which then take longer turns: each costs milliseconds here and at the API server."""
TICK_SECONDS = 0.25
GONE = {400, 404, 409, 422}


@dataclass
class _Turn:
    """The seconds after a write, in which what is reported is held."""

    latest: ProgressReport
    held: bool = False
    since: float = field(default_factory=time.monotonic)


class Reports:
    """Writes a run's first report at once, and of those that follow within its turn the last one after it.

    What is held is written before the run's final status is, and when the operator stops. Lost is only what
    a killed operator held, which the next report replaces.
    """

    def __init__(self, cluster: Cluster, known: Known) -> None:
        self._cluster = cluster
        self._known = known
        self._turns: dict[str, _Turn] = {}  # by UID, the oldest first

    async def status_of(self, run: RunIdentity, *, all_epochs: bool = False) -> TrainingRunStatus | None:
        """The status of the run, with the latest of its epochs at least; None when it is gone.

        Raises ApiError.
        """
        cache = self._known()
        known = cache.runs.get((run.namespace, run.name)) if cache and not all_epochs else None
        if known is not None and known.uid == run.uid:
            return known.status
        found = await self._cluster.get(RUNS, (run.namespace, run.name))
        if found is None or found["metadata"]["uid"] != run.uid:
            return None
        return TrainingRunStatus.model_validate(found.get("status", {}), extra="ignore")

    async def take(self, report: ProgressReport, before: TrainingRunStatus) -> None:
        """Take a report of a run that had this status. ApiError when it is written and can't be."""
        turn = self._turns.get(report.run.uid)
        if turn is not None:
            turn.latest = report.after(turn.latest.progress, turn.latest.epochs or [])
            turn.held = True
            return
        report = report.after(before.progress, before.epochs)
        self._turns[report.run.uid] = _Turn(report)
        try:
            await self.write(report)
        except ApiError:
            # The next one is written at once again, unless it has come already.
            if not self._turns[report.run.uid].held:
                del self._turns[report.run.uid]
            raise

    async def write(self, report: ProgressReport) -> Manifest:
        """Write it at once; the run as it is then. Raises ApiError."""
        return await self._cluster.apply_progress(report)

    async def settle(self, uid: str) -> Manifest | None:
        """Write what is held of this run; the run as it is then, None if nothing is. Raises ApiError."""
        turn = self._turns.get(uid)
        return await self._write_held(turn) if turn is not None and turn.held else None

    async def run(self) -> None:
        """Write what is held when its turn is over, until cancelled; then all of it."""
        try:
            async with asyncio.TaskGroup() as writing:
                while True:
                    await asyncio.sleep(TICK_SECONDS)
                    for turn in self._next_turns():
                        writing.create_task(self._try(turn))
        finally:
            await asyncio.gather(*(self._try(turn) for turn in self._turns.values() if turn.held))

    def _next_turns(self) -> list[_Turn]:
        """Those with something to write, now that the turn before is over."""
        begun_before = time.monotonic() - turn_seconds(len(self._turns))
        over = list(takewhile(lambda one: one[1].since <= begun_before, self._turns.items()))
        for uid, turn in over:
            del self._turns[uid]
            if turn.held:
                self._turns[uid] = _Turn(turn.latest, held=True)
        return [self._turns[uid] for uid, turn in over if turn.held]

    async def _try(self, turn: _Turn) -> None:
        try:
            await self._write_held(turn)
        except ApiError as error:
            run = turn.latest.run
            logger.warning("%s/%s: progress not written: %s", run.namespace, run.name, error)

    async def _write_held(self, turn: _Turn) -> Manifest | None:
        """Write what is held; once an ApiError has passed, it is tried again in the next turn."""
        report, turn.held = turn.latest, False
        try:
            status = await self.status_of(report.run)
            if status is None or _is_old(report, status):
                return None
            return await self.write(_of_finished(report, status))
        except ApiError as error:
            turn.held = turn.held or error.status not in GONE
            raise


def turn_seconds(runs: int) -> float:
    """How long turns are while so many runs report."""
    return max(SECONDS, runs / WRITES_A_SECOND)


def _is_old(report: ProgressReport, status: TrainingRunStatus) -> bool:
    """Whether another replica has written a later one."""
    written = status.progress
    if written is None:
        return False
    return parse_time(written.last_update_time) > parse_time(report.progress.last_update_time)


def _of_finished(report: ProgressReport, status: TrainingRunStatus) -> ProgressReport:
    """As it is to be shown once the run has succeeded."""
    if status.phase is not Phase.SUCCEEDED:
        return report
    return report.model_copy(update={"progress": report.progress.done()})
