"""What is measured: programs that give runs their Jobs, each a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from localcluster.control_plane import free_port

TICKS = os.sysconf("SC_CLK_TCK")
QUIET_SECONDS = 5
QUIET_SHARE = 0.03
"""Of one core; below it for QUIET_SECONDS, a program has nothing to do."""


@dataclass(frozen=True)
class Subject:
    """A program that is running."""

    pid: int
    metrics_port: int | None

    def seconds(self) -> float:
        """Its processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def wait_until_quiet(self) -> None:
        """Wait until it has nothing to do any more."""
        quiet, before = 0, self.seconds()
        while quiet < QUIET_SECONDS:
            time.sleep(1)
            now = self.seconds()
            quiet, before = (quiet + 1 if now - before < QUIET_SHARE else 0), now

    def requests(self) -> Mapping[str, int]:
        """Requests to the API server so far, by method and kind of object; none of one that counts none."""
        if self.metrics_port is None:
            return {}
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as response:
            text = response.read().decode()
        found = re.findall(r'api_requests_total{code="\w+",method="(\w+)",resource="([\w/]+)"} (\d+)', text)
        requests: Counter[str] = Counter()
        for method, resource, number in found:
            requests[f"{method} {resource}"] += int(number)
        return requests


@contextmanager
def operator(kubeconfig: Path) -> Iterator[Subject]:
    """This project's."""
    port = free_port()
    settings = {
        "TRAINER_IMAGE": "example.com/trainer:1",
        "POD_NAMESPACE": "default",
        "PROGRESS_PORT": f"{free_port()}",
        "METRICS_PORT": f"{port}",
        "LOG_LEVEL": "warning",
    }
    with _running("trainingrun_operator", kubeconfig, settings) as pid:
        yield Subject(pid, port)


@contextmanager
def floor(kubeconfig: Path) -> Iterator[Subject]:
    """A kopf handler that only creates Jobs."""
    with _running("benchmarks.operator.floor", kubeconfig, {}) as pid:
        yield Subject(pid, None)


@contextmanager
def _running(module: str, kubeconfig: Path, settings: dict[str, str]) -> Iterator[int]:
    environment = os.environ | settings | {"KUBECONFIG": str(kubeconfig)}
    with subprocess.Popen([sys.executable, "-m", module], env=environment) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
