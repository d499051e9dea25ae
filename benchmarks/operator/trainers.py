"""Trainers of many pods at once: each reports with its pod's own token, and then ends the pod."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kubernetes.aio.client import ApiClient, CoreV1Api
from kubernetes.aio.config import new_client_from_config
from kubernetes.aio.watch import Watch

from trainingrun_api.names import PROGRESS_AUDIENCE, PROGRESS_PATH, RUN_LABEL
from trainingrun_operator.resources import Manifest

from .load import SETTINGS
from .messages import EPOCHS, RESULT, a_report
from .stand import NAMESPACE
from .subjects import Subject

MESSAGE = "benchmark/message"
PATIENCE = 3
"""How often a report of an epoch is sent until it is taken; a trainer's would be replaced by the next one."""
TIMEOUT_SECONDS = 5.0
AT_ONCE = 200
"""Pods that train at once."""


@dataclass
class Answers:
    """What the endpoint has answered."""

    seconds: list[float] = field(default_factory=list)
    """Of each report that was taken, from opening its connection to the end of the answer."""
    refused: int = 0
    """Reports that were not."""


class Endpoint:
    """The operator's, as pods see it: TLS by its own certificate authority, a connection for each report."""

    def __init__(self, port: int, certificate: str) -> None:
        self._port = port
        self._context = ssl.create_default_context(cadata=certificate)
        self.answers = Answers()

    @classmethod
    async def of(cls, client: ApiClient, subject: Subject) -> Self:
        """That of the operator that is measured."""
        secret = await CoreV1Api(client).read_namespaced_secret(
            SETTINGS.certificate_secret_name, SETTINGS.pod_namespace
        )
        assert subject.progress_port is not None
        return cls(subject.progress_port, base64.b64decode(secret.data["ca.crt"]).decode())

    async def post(self, report: Manifest, token: str, address: str) -> bool:
        """Whether the report was taken."""
        body, start = json.dumps(report), time.monotonic()
        lines = (
            f"POST {PROGRESS_PATH} HTTP/1.1",
            f"Host: {SETTINGS.server_name}",
            f"Authorization: Bearer {token}",
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._exchange("\r\n".join(lines), address)
        except (OSError, TimeoutError):
            status = b""
        if status != b"204":
            self.answers.refused += 1
            return False
        self.answers.seconds.append(time.monotonic() - start)
        return True

    async def _exchange(self, request: str, address: str) -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self._port,
            ssl=self._context,
            server_hostname=SETTINGS.server_name,
            local_addr=(address, 0),
        )
        try:
            writer.write(request.encode())
            return (await reader.readline()).partition(b" ")[2][:3]  # empty where it was cut
        finally:
            writer.close()


@dataclass(frozen=True)
class Trainer:
    """The one in a pod."""

    client: ApiClient
    endpoint: Endpoint
    run: Manifest
    """Namespace, name and UID of its run."""
    pod: Manifest
    token: str
    address: str

    @classmethod
    async def of(
        cls, client: ApiClient, endpoint: Endpoint, pod: Manifest, uids: dict[str, str], number: int
    ) -> Self:
        """With the token that a kubelet would mount, and an address of its own; `uids` are the runs'."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": name, "uid": pod["metadata"]["uid"]}
        asked = {"spec": {"audiences": [PROGRESS_AUDIENCE], "boundObjectRef": bound}}
        answer = await CoreV1Api(client).create_namespaced_service_account_token("default", namespace, asked)
        run = pod["metadata"]["labels"][RUN_LABEL]
        identity = {"namespace": namespace, "name": run, "uid": uids[run]}
        address = f"127.1.{number // 250 % 250}.{number % 250 + 1}"
        return cls(client, endpoint, identity, pod, answer.status.token, address)

    async def train(self, seconds: float) -> None:
        """Report EPOCHS epochs, each after so many seconds, and end."""
        for epoch in range(1, EPOCHS + 1):
            await self.report(epoch)
            await asyncio.sleep(seconds)
        await self.end()

    async def report(self, epoch: int) -> None:
        """Report an epoch."""
        for _ in range(PATIENCE):
            if await self.send(epoch):
                return

    async def send(self, epoch: int) -> bool:
        """Whether a report of this epoch was taken."""
        return await self.endpoint.post(a_report(self.run, epoch), self.token, self.address)

    async def end(self) -> None:
        """Leave the message that a trainer leaves, on which kwok ends the pod."""
        metadata = self.pod["metadata"]
        await CoreV1Api(self.client).patch_namespaced_pod(
            metadata["name"], metadata["namespace"], {"metadata": {"annotations": {MESSAGE: RESULT}}}
        )


async def train_all(kubeconfig: Path, subject: Subject, uids: dict[str, str], seconds: float) -> Answers:
    """Train all runs, given by name with their UIDs, with so many seconds an epoch."""
    async with await new_client_from_config(str(kubeconfig)) as client:
        endpoint, gate = await Endpoint.of(client, subject), asyncio.Semaphore(AT_ONCE)

        async def train(pod: Manifest, number: int) -> None:
            async with gate:
                await (await Trainer.of(client, endpoint, pod, uids, number)).train(seconds)

        async with asyncio.TaskGroup() as group:
            async for number, pod in running_pods(client, set(uids)):
                group.create_task(train(pod, number))
        return endpoint.answers


async def running_pods(client: ApiClient, runs: set[str]) -> AsyncIterator[tuple[int, Manifest]]:
    """The first running pod of each of these runs, numbered."""
    left = set(runs)
    async with Watch("object") as watch:
        pods = CoreV1Api(client).list_namespaced_pod
        async for event in watch.stream(pods, NAMESPACE, label_selector=RUN_LABEL):
            pod = event["object"]
            if pod["status"].get("phase") == "Running" and pod["metadata"]["labels"][RUN_LABEL] in left:
                left.remove(pod["metadata"]["labels"][RUN_LABEL])
                yield len(runs) - len(left), pod
            if not left:
                return
