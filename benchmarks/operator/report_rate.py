"""How many progress reports a second the operator takes, and how long each waits for its answer."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio.config import new_client_from_config

from .lifecycle import Meter
from .load import apply
from .messages import EPOCHS
from .stand import NAMESPACE, a_stand
from .subjects import Subject, operator
from .trainers import Endpoint, Trainer, running_pods

SECONDS = 30
WRITES_SECONDS = 5.0
"""In which a run is to be written once at most."""


@dataclass(frozen=True)
class Rate:
    """What came of so many reports a second, of all runs in turn."""

    runs: int
    offered: int
    taken: float
    """A second."""
    median: float
    slowest: float
    """99th percentile of the seconds from opening a connection to the end of the answer."""
    core_share: float
    """Of a core, that the operator took."""
    writes: float
    """Of a run's status, in WRITES_SECONDS."""


def measure(runs: int, rates: list[int]) -> list[Rate]:
    """Offer reports of so many runs at these rates, one after the other."""
    with a_stand() as stand, operator(stand.kubeconfig) as subject:
        subject.wait_until_quiet()
        applied = asyncio.run(apply(stand.kubeconfig, NAMESPACE, [f"run-{n}" for n in range(runs)]))
        stand.let_pods_run()
        return asyncio.run(_measure(stand.kubeconfig, subject, applied.uids, rates))


async def _measure(kubeconfig: Path, subject: Subject, uids: dict[str, str], rates: list[int]) -> list[Rate]:
    async with await new_client_from_config(str(kubeconfig)) as client:
        endpoint = await Endpoint.of(client, subject)
        trainers = [
            await Trainer.of(client, endpoint, pod, uids, number)
            async for number, pod in running_pods(client, set(uids))
        ]
        await asyncio.to_thread(subject.wait_until_quiet)
        return [await _offer(subject, endpoint, trainers, rate) for rate in rates]


async def _offer(subject: Subject, endpoint: Endpoint, trainers: list[Trainer], rate: int) -> Rate:
    before, meter = len(endpoint.answers.seconds), Meter(subject, len(trainers))
    start = time.monotonic()
    async with asyncio.TaskGroup() as sending:
        for number in range(rate * SECONDS):
            await asyncio.sleep(start + number / rate - time.monotonic())
            sending.create_task(_send(trainers[number % len(trainers)]))
    took, seconds = time.monotonic() - start, endpoint.answers.seconds[before:]
    cost = meter.cost()
    writes = cost.requests.get("PATCH trainingruns/status", 0.0)
    return Rate(
        runs=len(trainers),
        offered=rate,
        taken=len(seconds) / took,
        median=statistics.median(seconds),
        slowest=statistics.quantiles(seconds, n=100)[98],
        core_share=cost.milliseconds * len(trainers) / 1000 / took,
        writes=writes * WRITES_SECONDS / took,
    )


async def _send(trainer: Trainer) -> None:
    await trainer.send(EPOCHS - 1)
