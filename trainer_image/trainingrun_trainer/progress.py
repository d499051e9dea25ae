"""Post progress to the operator, without ever holding up training."""

import logging
import ssl
import threading
from pathlib import Path

import httpx2

from trainingrun_api.names import PROGRESS_PATH
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import ProgressEndpoint
from trainingrun_api.status import Stage

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 2.0
"""Least time between two reports of one epoch."""

FINAL_SECONDS = 5.0
"""How long the end of the trainer waits for its last report to be delivered."""


class ProgressSender:
    """Sends the newest report from a thread of its own; what it replaces is never sent.

    A report of a new stage or epoch goes out at once. Failures are logged, once for each kind.
    """

    def __init__(self, endpoint: ProgressEndpoint) -> None:
        self._token_path = Path(endpoint.token_path)
        self._url = endpoint.url.rstrip("/").removesuffix(PROGRESS_PATH) + PROGRESS_PATH
        self._context = ssl.create_default_context(cadata=endpoint.ca_certificate)
        self._newest: ProgressReport | None = None
        self._milestone: tuple[Stage, int] | None = None
        self._known_failures: set[str] = set()
        self._waiting = threading.Event()
        self._urgent = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._send_all, name="progress", daemon=True)
        self._thread.start()

    def send(self, report: ProgressReport) -> None:
        """Have this report sent next, in place of one not sent yet; returns at once."""
        milestone = (report.progress.stage, report.progress.epoch)
        self._newest = report
        if milestone != self._milestone:
            self._milestone = milestone
            self._urgent.set()
        self._waiting.set()

    def close(self) -> None:
        """Try for a short while to deliver the last report."""
        self._closed = True
        self._urgent.set()
        self._waiting.set()
        self._thread.join(FINAL_SECONDS)

    def _send_all(self) -> None:
        with httpx2.Client(verify=self._context, timeout=FINAL_SECONDS, trust_env=False) as client:
            while not self._closed or self._waiting.is_set():
                self._waiting.wait()
                self._urgent.wait(INTERVAL_SECONDS)
                self._waiting.clear()
                self._urgent.clear()
                self._deliver(client)

    def _deliver(self, client: httpx2.Client) -> None:
        report, self._newest = self._newest, None
        if report is None:
            return
        try:
            # Read anew, since the kubelet rotates it.
            headers = {"Authorization": f"Bearer {self._token_path.read_text().strip()}"}
            body = report.model_dump_json()
            client.post(
                self._url, content=body, headers={**headers, "Content-Type": "application/json"}
            ).raise_for_status()
        except httpx2.HTTPStatusError as error:
            self._log_once(f"HTTP {error.response.status_code}", error.response.text[:200])
        except (httpx2.HTTPError, OSError) as error:
            self._log_once(type(error).__name__, str(error))

    def _log_once(self, kind: str, detail: str) -> None:
        if kind not in self._known_failures:
            self._known_failures.add(kind)
            log.warning("Progress could not be reported; training continues: %s: %s", kind, detail)
