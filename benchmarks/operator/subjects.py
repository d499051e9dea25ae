"""What is measured: programs that give runs their Jobs, each a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from localcluster.control_plane import free_port

REQUESTS = re.compile(r'api_requests_total{code="\w+",method="(\w+)",resource="([\w/-]+)"} (\d+)')
TICKS = os.sysconf("SC_CLK_TCK")
QUIET_SECONDS = 5
QUIET_SHARE = 0.05
"""Of one core; below it for QUIET_SECONDS, a program has nothing to do."""
OWN_NAMESPACE = "default"


@dataclass(frozen=True)
class Subject:
    """A program that is running."""

    pid: int
    metrics_port: int | None = None
    progress_port: int | None = None

    def seconds(self) -> float:
        """Its processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def mebibytes(self) -> float:
        """Memory that it has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def idle_share(self, seconds: float) -> float:
        """The share of a core that it takes for so long, while nothing is asked of it."""
        before = self.seconds()
        time.sleep(seconds)
        return (self.seconds() - before) / seconds

    def wait_until_quiet(self) -> None:
        """Wait until it has nothing to do any more."""
        quiet, before = 0, self.seconds()
        while quiet < QUIET_SECONDS:
            time.sleep(1)
            now = self.seconds()
            quiet, before = (quiet + 1 if now - before < QUIET_SHARE else 0), now

    def requests(self) -> Counter[str]:
        """Requests to the API server so far, by method and kind of object; none of one that counts none."""
        if self.metrics_port is None:
            return Counter()
        requests: Counter[str] = Counter()
        for method, resource, number in REQUESTS.findall(self.metrics()):
            requests[f"{method} {resource}"] += int(number)
        return requests

    def metrics(self) -> str:
        """What Prometheus reads."""
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as response:
            return str(response.read().decode())


@contextmanager
def operator(kubeconfig: Path) -> Iterator[Subject]:
    """This project's."""
    metrics, progress = free_port(), free_port()
    settings = {
        "TRAINER_IMAGE": "example.com/trainer:1",
        "POD_NAMESPACE": OWN_NAMESPACE,
        "PROGRESS_PORT": f"{progress}",
        "METRICS_PORT": f"{metrics}",
        "LOG_LEVEL": "warning",
    }
    with _running("trainingrun_operator", kubeconfig, settings) as pid:
        yield Subject(pid, metrics, progress)


@contextmanager
def floor(kubeconfig: Path) -> Iterator[Subject]:
    """A kopf handler that only creates Jobs."""
    with _running("benchmarks.operator.floor", kubeconfig, {}) as pid:
        yield Subject(pid)


@contextmanager
def _running(module: str, kubeconfig: Path, settings: dict[str, str]) -> Iterator[int]:
    environment = os.environ | settings | {"KUBECONFIG": str(kubeconfig)}
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", module]
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
