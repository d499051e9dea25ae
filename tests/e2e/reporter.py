"""Progress reports through the operator's Service, as pods send them while they train."""

import ssl
import threading
from collections import Counter
from datetime import UTC, datetime

import httpx2
from controller.manifests import Manifest, a_report

from demo.operator_release import NAMESPACE, RELEASE
from trainingrun_api.names import PROGRESS_PATH

SECONDS = 1.2
"""Between two of them: an operator takes two a second of a run, over some time."""


class Reporter(threading.Thread):
    """Reports for a run, one after the other, until it is told to end."""

    def __init__(self, address: str, certificate: str, token: str, run: Manifest, *, keeps: bool) -> None:
        """`keeps`: whether all go over one connection, as the trainer's, or each over one of its own."""
        super().__init__(daemon=True)
        self._url = f"https://{address}{PROGRESS_PATH}"
        self._tls = ssl.create_default_context(cadata=certificate)
        self._token, self._run, self._keeps = token, run, keeps
        self.of: str = run["metadata"]["name"]
        """Name of the run."""
        self._ends = threading.Event()
        self.answers: Counter[int | str] = Counter()
        """How many had this status, or this error in place of one."""
        self.last = ""
        """Time of the last report."""

    def run(self) -> None:
        limits = httpx2.Limits(max_keepalive_connections=None if self._keeps else 0)
        with httpx2.Client(verify=self._tls, timeout=5, trust_env=False, limits=limits) as client:
            while not self._ends.wait(SECONDS):
                self.answers[self._answer(client)] += 1

    def end(self) -> None:
        """Returns when the last one was answered."""
        self._ends.set()
        self.join()

    def _answer(self, client: httpx2.Client) -> int | str:
        self.last = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        try:
            return client.post(
                self._url,
                json=a_report(self._run, epoch=1, time=self.last),
                headers={"Authorization": f"Bearer {self._token}"},
                extensions={"sni_hostname": f"{RELEASE}.{NAMESPACE}.svc"},
            ).status_code
        except httpx2.HTTPError as error:
            return repr(error)
