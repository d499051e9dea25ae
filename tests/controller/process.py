"""The operator as its own process, with the rights that the chart gives it."""

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "training-system"
RELEASE = "trainingrun-operator"
SERVER_NAME = f"{RELEASE}.{NAMESPACE}.svc"
PROGRESS_PATH = "/v1/progress"
START_SECONDS = 60.0


@dataclass
class OperatorProcess:
    """Started, stopped and started again at will."""

    kubeconfig: Path
    log: Path
    progress_port: int
    metrics_port: int
    ca_certificate: str = ""
    pod_name: str = RELEASE
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, settings: Mapping[str, str] | None = None, *, leads: bool = True) -> None:
        """Gives back once it is healthy, and unless another one has the Lease leads."""
        environment = {
            "KUBECONFIG": str(self.kubeconfig),
            "PYTHONPATH": f"{ROOT / 'contract'}:{ROOT / 'operator'}",
            "TRAINER_IMAGE": "example.com/trainer:1",
            "POD_NAMESPACE": NAMESPACE,
            "POD_NAME": self.pod_name,
            "PROGRESS_PORT": str(self.progress_port),
            "METRICS_PORT": str(self.metrics_port),
            "LOG_FORMAT": "plain",
        }
        command = [sys.executable, "-W", "error", "-m", "trainingrun_operator"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=os.environ | environment | dict(settings or {}), stdout=log, stderr=log
            )
        self._wait_until(lambda: self.healthy() and (self.leads() or not leads))

    def stop(self) -> int:
        """SIGTERM; gives its exit status."""
        self.send(signal.SIGTERM)
        return self.ended()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return self._process.wait(30)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return self._process.wait()

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def metrics(self) -> str:
        return self._get("/metrics")

    def count(self, name: str, **labels: str) -> float:
        """A series of the operator's own; 0 for one that isn't there yet."""
        return self.value(f"trainingrun_operator_{name}", labels)

    def value(self, name: str, labels: Mapping[str, str]) -> float:
        """A series; 0 for one that isn't there yet."""
        for family in text_string_to_metric_families(self.metrics()):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return 0.0

    def resident_bytes(self) -> int:
        """Memory that the process has."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def connection(self, address: str) -> socket.socket:
        """To the progress endpoint from this address, with a TLS session if it comes to one."""
        plain = socket.create_connection(
            ("127.0.0.1", self.progress_port), timeout=10, source_address=(address, 0)
        )
        with suppress(OSError):
            return ssl.create_default_context(cadata=self.ca_certificate).wrap_socket(
                plain, server_hostname=SERVER_NAME
            )
        return plain

    def healthy(self) -> bool:
        with suppress(OSError):
            return self._get("/healthz") == "ok"
        return False

    def leads(self) -> bool:
        with suppress(OSError):
            return self.count("leader") == 1
        return False

    def post(self, report: Any, token: str | None, path: str = PROGRESS_PATH) -> tuple[int, str]:
        """Status and text that the progress endpoint answers with."""
        body = json.dumps(report).encode() if isinstance(report, dict) else report
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection = _Https(self.progress_port, self.ca_certificate)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def _wait_until(self, started: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not started():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the operator did not start\n{self.log_tail()}")
            time.sleep(0.05)


@contextmanager
def stopped(operator: OperatorProcess) -> Iterator[None]:
    """Within, there is no operator."""
    assert operator.stop() == 0
    try:
        yield
    finally:
        operator.start()


class _Https(http.client.HTTPSConnection):
    """To the endpoint on this machine, by the name that its certificate has."""

    def __init__(self, port: int, ca_certificate: str) -> None:
        self._tls = ssl.create_default_context(cadata=ca_certificate)
        super().__init__("127.0.0.1", port, timeout=30, context=self._tls)

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=SERVER_NAME)


def kubeconfig_with_token(admin: Path, token: str, path: Path) -> Path:
    """A kubeconfig like the administrator's, for the holder of `token`."""
    content = json.loads(admin.read_text())
    content["users"][0]["user"] = {"token": token}
    path.write_text(json.dumps(content))
    return path


def decoded(data: str) -> str:
    return base64.b64decode(data).decode()
