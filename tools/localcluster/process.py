"""One program in the background: its log, whether it is ready, its end."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from localcluster.errors import LocalClusterError

# Shared machines are at times ten times slower for minutes.
READY_SECONDS = 240.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 25
LONGEST_MESSAGE = 3000
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Command:
    """How a program is started, and how to see that it is ready."""

    name: str
    arguments: tuple[str, ...]
    ready: Callable[[], bool] = lambda: True
    environment: Mapping[str, str] = field(default_factory=dict)


class Process:
    """A running `Command`; it ends with the thread that started it, also when that one is killed."""

    def __init__(self, command: Command, logs: Path) -> None:
        self.command = command
        self.log = logs / f"{command.name}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                # Setting the death signal by a program is safe in a process with threads, preexec_fn isn't.
                ["setpriv", "--pdeathsig", "KILL", *command.arguments],
                env={"PATH": SYSTEM_PATH, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    def wait_ready(self) -> Self:
        """Wait until it serves.

        Raises:
            LocalClusterError: it ended or the time is up; the message carries the end of its log.
        """
        wait_until(self._ready_or_ended, f"{self.command.name} to be ready", self.log)
        if not self.running:
            raise LocalClusterError(f"{self.command.name} ended at its start{log_tail(self.log)}")
        return self

    def _ready_or_ended(self) -> bool:
        return not self.running or self.command.ready()

    def stop(self) -> None:
        """End it: politely, then not."""
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def wait_until(
    condition: Callable[[], bool], what: str, log: Path | None = None, seconds: float = READY_SECONDS
) -> None:
    """Ask `condition` until it holds.

    Raises:
        LocalClusterError: it didn't hold within `seconds`; the message carries the end of `log`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LocalClusterError(f"waited {seconds:.0f} s in vain for {what}{log_tail(log)}")
        time.sleep(POLL_SECONDS)


def log_tail(log: Path | None) -> str:
    """The last lines of `log`, for an error message."""
    if log is None or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    return "\n".join([f"; the end of {log}:", *lines])


def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def execute(
    *arguments: str,
    standard_input: str | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and give what it printed.

    Raises:
        LocalClusterError: it failed; the message carries the end of what it said.
    """
    result = subprocess.run(
        arguments,
        input=standard_input,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        said = result.stderr.strip() or result.stdout.strip()
        raise LocalClusterError(f"{' '.join(arguments)} failed: {said[-LONGEST_MESSAGE:]}")
    return result.stdout
