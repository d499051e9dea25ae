"""Runs that are applied at once, and how long each waits for its Job."""

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

from kubernetes.aio.client import ApiClient, CoreV1Api, CustomObjectsApi
from kubernetes.aio.config import new_client_from_config
from kubernetes.aio.watch import Watch

from trainingrun_api.names import API_VERSION, GROUP, RUN_KIND, RUN_PLURAL, VERSION
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import References
from trainingrun_operator.backend import BACKEND
from trainingrun_operator.pod_template import pod_template
from trainingrun_operator.resources import Manifest, Resolution, Run
from trainingrun_operator.settings import Settings
from trainingrun_operator.start import starting_with

AT_ONCE = 16
SETTINGS = Settings.from_environment({"TRAINER_IMAGE": "example.com/trainer:1", "POD_NAMESPACE": "default"})


class Waits(NamedTuple):
    """Seconds from the answer to each run's creation until its Job was seen, and until the last one was."""

    each: list[float]
    last: float


def a_run(name: str) -> Manifest:
    """A run as a user would apply it."""
    return {
        "apiVersion": API_VERSION,
        "kind": RUN_KIND,
        "metadata": {"name": name},
        "spec": {"dataset": {"uri": "s3://data/tickets.jsonl"}, "output": {"uri": "s3://models/team"}},
    }


def a_job(name: str, namespace: str) -> Manifest:
    """The Job of such a run, but for its owner."""
    manifest = a_run(name)
    metadata = {"namespace": namespace, "uid": "u", "resourceVersion": "1", "generation": 1}
    created = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    run = Run.parse(manifest | {"metadata": manifest["metadata"] | metadata | created})
    if run.spec is None:
        raise ValueError(run.problem)
    found = Resolution(ResolvedSpec.of(run.spec, None), References())
    started = starting_with(run, "brisk-heron-3f9a", found, SETTINGS)
    return BACKEND.build(run, run.spec, pod_template(run, run.spec, started, "PEM", SETTINGS))


async def apply(kubeconfig: Path, namespace: str, count: int) -> Waits:
    """Create a namespace and so many runs in it, and wait for all their Jobs."""
    async with await new_client_from_config(str(kubeconfig)) as client:
        await CoreV1Api(client).create_namespace({"metadata": {"name": namespace}})
        applied: dict[str, float] = {}
        start = time.monotonic()
        seen = asyncio.create_task(_jobs(client, namespace, count))
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(_create(client, namespace, f"run-{n}", applied, gate) for n in range(count)))
        jobs = await seen
    waits = [jobs[name] - at for name, at in applied.items()]
    return Waits(sorted(waits), max(jobs.values()) - start)


async def _create(
    client: ApiClient, namespace: str, name: str, applied: dict[str, float], gate: asyncio.Semaphore
) -> None:
    runs = CustomObjectsApi(client)
    async with gate:
        await runs.create_namespaced_custom_object(GROUP, VERSION, namespace, RUN_PLURAL, a_run(name))
        applied[name] = time.monotonic()


async def _jobs(client: ApiClient, namespace: str, count: int) -> dict[str, float]:
    """When the Job of each run was seen."""
    seen: dict[str, float] = {}
    async with Watch("object") as watch:
        jobs = CustomObjectsApi(client).list_namespaced_custom_object
        async for event in watch.stream(jobs, "batch", "v1", namespace, "jobs"):
            seen.setdefault(event["object"]["metadata"]["name"], time.monotonic())
            if len(seen) == count:
                break
    return seen
