"""Logs of a run's trainers: of all nodes, and of each attempt as long as its pod is there."""

import math
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainingrun_api.resources import TrainingRun

from .errors import ClientError

if TYPE_CHECKING:
    from .answers import TrainerPod
    from .connection import Connection

LOOK_SECONDS = 2.0
"""How often new pods are looked for."""


@dataclass(frozen=True)
class LogLine:
    """One line that a trainer has written."""

    pod: str
    node: int
    """Which of the run's nodes."""
    text: str


@dataclass(frozen=True)
class WantedLogs:
    """What of the logs is asked for."""

    node: int | None = None
    """Only of this node."""
    tail: int | None = None
    """Only so many lines of each pod that is there at first."""

    def of(self, pods: Sequence["TrainerPod"]) -> list["TrainerPod"]:
        """Those that are asked for, and have a log."""
        return [pod for pod in pods if pod.started and self.node in {None, pod.node}]


def logs_so_far(connection: "Connection", run: str, wanted: WantedLogs) -> Iterator[LogLine]:
    """What has been logged, pod after pod, the oldest first. Raises ClientError."""
    connection.get(TrainingRun, run)
    for pod in wanted.of(connection.pods(run)):
        yield from _PodLog(connection, wanted.tail).read(pod, follow=False)


def followed_logs(connection: "Connection", run: str, wanted: WantedLogs) -> Iterator[LogLine]:
    """What has been logged and what will be, of these pods and those that replace them, until the run ends.

    Lines of several nodes come as they are written. Raises ClientError.
    """
    following = _Following(connection)
    tail = wanted.tail
    while True:
        ended = connection.get(TrainingRun, run).status.phase.finished
        pods = wanted.of(connection.pods(run))
        following.look(pods, tail)
        tail = None
        if ended and following.whole(pods):
            return
        yield from following.arriving()


class _PodLog:
    """The log of one pod, each line once, however often the connection is lost."""

    def __init__(self, connection: "Connection", tail: int | None) -> None:
        self._connection = connection
        self._tail = tail
        self._latest = ""
        self._read_at: float | None = None
        self.whole = False
        """Whether it has been read to its end."""
        self.error: ClientError | None = None
        """Why it couldn't be read; of no concern where the pod is gone."""

    def read(self, pod: "TrainerPod", *, follow: bool) -> Iterator[LogLine]:
        """The lines that are new, and with `follow` those to come as long as pod and connection last."""
        known, since = self._latest, self._since()
        for line in self._connection.log(pod.name, follow=follow, since_seconds=since, tail=self._tail):
            self._tail, self._read_at = None, time.monotonic()
            written_at, _, text = line.partition(" ")
            if written_at > known:
                self._latest = written_at
                yield LogLine(pod.name, pod.node, text)
        self.whole = pod.ended

    def _since(self) -> int | None:
        """Seconds back in which all new lines were written; the clock of the node may differ by some."""
        return None if self._read_at is None else math.ceil(time.monotonic() - self._read_at) + 60


@dataclass
class _Following:
    """Threads that each read the log of one pod."""

    connection: "Connection"
    lines: "queue.SimpleQueue[LogLine]" = field(default_factory=queue.SimpleQueue)
    logs: dict[str, _PodLog] = field(default_factory=dict)
    threads: dict[str, threading.Thread] = field(default_factory=dict)

    def look(self, pods: Sequence["TrainerPod"], tail: int | None) -> None:
        """Read on from each pod that is not being read, and may have more to tell.

        Raises ClientError when the log of one of them can't be read.
        """
        for pod in pods:
            log = self.logs.setdefault(pod.name, _PodLog(self.connection, tail))
            if log.error is not None:
                raise log.error
            thread = self.threads.get(pod.name)
            if not log.whole and (thread is None or not thread.is_alive()):
                self.threads[pod.name] = threading.Thread(target=self._read, args=(log, pod), daemon=True)
                self.threads[pod.name].start()

    def whole(self, pods: Sequence["TrainerPod"]) -> bool:
        """Whether all has been read and given."""
        return self.lines.empty() and all(self.logs[pod.name].whole for pod in pods)

    def arriving(self) -> Iterator[LogLine]:
        """The lines of the next seconds."""
        end = time.monotonic() + LOOK_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                yield self.lines.get(timeout=left)
            except queue.Empty:
                return

    def _read(self, log: _PodLog, pod: "TrainerPod") -> None:
        try:
            for line in log.read(pod, follow=True):
                self.lines.put(line)
        except ClientError as error:
            log.error = error
