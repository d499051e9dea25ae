"""What a request to the API server costs by itself: serialising, TLS, reading the answer."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from kubernetes.aio.config import new_client_from_config

from trainingrun_operator.backend import BACKEND
from trainingrun_operator.cluster import Cluster
from trainingrun_operator.resources import Manifest
from trainingrun_operator.work_queue import WORKERS

from .load import a_job

REQUESTS = 400


async def milliseconds(kubeconfig: Path, namespace: str) -> float:
    """Processor time of this process for one creation of a Job, by as many at once as the operator has."""
    async with await new_client_from_config(str(kubeconfig)) as client:
        cluster = Cluster(client)
        jobs = iter([_suspended(f"cost-{n}", namespace) for n in range(REQUESTS + WORKERS)])
        await asyncio.gather(*(cluster.create(BACKEND.kind, next(jobs)) for _ in range(WORKERS)))
        start = time.process_time()
        await asyncio.gather(*(_create(cluster, jobs) for _ in range(WORKERS)))
        return 1000 * (time.process_time() - start) / REQUESTS


async def _create(cluster: Cluster, jobs: Iterator[Manifest]) -> None:
    for job in jobs:
        await cluster.create(BACKEND.kind, job)


def _suspended(name: str, namespace: str) -> Manifest:
    job = a_job(name, namespace)
    return job | {"spec": job["spec"] | {"suspend": True}}
