"""The trainer's program, again and again: each attempt in a process of its own, which can be killed.

All are forked from one process that has the modules loaded, since that takes most of a tiny run's time.
"""

import ctypes
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from trainingrun_api.names import RUN_CONFIG_VARIABLE
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import RunFailure, RunResult
from trainingrun_trainer.settings import TERMINATION_PATH_VARIABLE

PRELOADED = [
    "boto3",
    "trainingrun_trainer.pipeline",
    "trainingrun_trainer.trackers.tensorboard",
    "trainingrun_trainer.distributed",
]

NEW_MOUNTS, PRIVATE = 0x20000, 0x44000
"""CLONE_NEWNS, and MS_REC | MS_PRIVATE, of Linux."""

LOOK_SECONDS = 0.005

LONGEST_SECONDS = 300.0


def forked() -> ForkServerContext:
    """Processes from it have torch and all that the trainer needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def start(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Do `work` in such a process, with the environment of now, which may not be that of the first one."""
    process = forked().Process(target=_in_environment, args=(dict(os.environ), work, *arguments), daemon=True)
    process.start()
    return process


def _in_environment(environment: dict[str, str], work: Callable[..., None], *arguments: Any) -> None:
    _take(environment)
    work(*arguments)


def _take(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


class Attempt:
    """One process of the program, as a pod would run it; its log and termination message are in `folder`."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        variables: dict[str, str] | None = None,
        disk_bytes: int | None = None,
    ) -> None:
        """With `disk_bytes`, its work folder is a disk of its own, of that size; takes root."""
        work = folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        self._log, self._message = folder / "log", folder / "termination"
        self._log.write_text("")
        self._message.unlink(missing_ok=True)
        environment = os.environ | {
            RUN_CONFIG_VARIABLE: config.model_dump_json(),
            TERMINATION_PATH_VARIABLE: str(self._message),
            "HF_HUB_OFFLINE": "1",
            "TMPDIR": str(work),
            **(variables or {}),
        }
        self.process = forked().Process(
            target=_program, args=(str(self._log), environment, disk_bytes), daemon=True
        )
        self.process.start()

    @property
    def log(self) -> str:
        """What it has written by now."""
        return self._log.read_text()

    @property
    def message(self) -> str:
        """The termination message; "" while there is none."""
        return self._message.read_text() if self._message.exists() else ""

    @property
    def failure(self) -> RunFailure:
        return RunFailure.model_validate_json(self.message)

    @property
    def result(self) -> RunResult:
        return RunResult.model_validate_json(self.message)

    def until(self, words: str) -> bool:
        """Wait for words in the log; False when the process ends without them."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while words not in self.log:
            if not self.process.is_alive():
                return words in self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(LOOK_SECONDS)
        return True

    def send(self, signum: int) -> None:
        """A signal, if it is still there."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, signum)

    def end(self, seconds: float = LONGEST_SECONDS) -> int:
        """Wait for the end; gives the exit code as a container has it."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"not ended after {seconds} s: {self.log}")
        return code if code >= 0 else 128 - code


def _program(log: str, environment: dict[str, str], disk_bytes: int | None) -> None:
    if disk_bytes is not None:
        _mount(environment["TMPDIR"], disk_bytes)
    with Path(log).open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    _take(environment)
    tempfile.tempdir = None  # modules that were imported before have asked for another one
    from trainingrun_trainer.program import run  # noqa: PLC0415 - not where the tests run

    sys.exit(run())


def _mount(folder: str, size: int) -> None:
    """A small disk that this process alone sees, and which is gone with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    for done in (
        libc.unshare(NEW_MOUNTS),
        libc.mount(None, b"/", None, PRIVATE, None),
        libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size}".encode()),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), "no disk of its own")
