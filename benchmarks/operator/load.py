"""Runs that are applied at once, and how long each waits for its Job."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kubernetes.aio.client import ApiClient, CustomObjectsApi
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

CLIENTS = 32
SETTINGS = Settings.from_environment({"TRAINER_IMAGE": "example.com/trainer:1", "POD_NAMESPACE": "default"})


class Applied(NamedTuple):
    """Runs that were applied at once, and how long each waited for its Job."""

    uids: dict[str, str]
    """By name."""
    waits: list[float]
    """Seconds from the answer to each run's creation until its Job was seen, the least first."""
    last: float
    """Seconds from the first request until the last Job was seen."""


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


async def apply(kubeconfig: Path, namespace: str, names: Sequence[str]) -> Applied:
    """Create the runs, as many at once as there are CLIENTS, and wait for all their Jobs."""
    async with await new_client_from_config(str(kubeconfig)) as client:
        since, left = await _version(client, namespace), iter(names)
        jobs = asyncio.create_task(_jobs(client, namespace, since, set(names)))
        start = time.monotonic()
        answers: dict[str, tuple[float, str]] = {}
        await asyncio.gather(*(_create_all(client, namespace, left, answers) for _ in range(CLIENTS)))
        seen = await jobs
    waits = sorted(seen[name] - at for name, (at, _) in answers.items())
    return Applied({name: uid for name, (_, uid) in answers.items()}, waits, max(seen.values()) - start)


async def _create_all(
    client: ApiClient, namespace: str, names: Iterator[str], answers: dict[str, tuple[float, str]]
) -> None:
    """Create one after the other; when each was there, and its UID."""
    runs = CustomObjectsApi(client)
    for name in names:
        run = await runs.create_namespaced_custom_object(GROUP, VERSION, namespace, RUN_PLURAL, a_run(name))
        answers[name] = time.monotonic(), run["metadata"]["uid"]


async def _version(client: ApiClient, namespace: str) -> str:
    jobs = await CustomObjectsApi(client).list_namespaced_custom_object(
        "batch", "v1", namespace, "jobs", limit=1
    )
    return str(jobs["metadata"]["resourceVersion"])


async def _jobs(client: ApiClient, namespace: str, since: str, names: set[str]) -> dict[str, float]:
    """When the Job of each run was seen."""
    seen: dict[str, float] = {}
    async with Watch("object") as watch:
        jobs = CustomObjectsApi(client).list_namespaced_custom_object
        async for event in watch.stream(jobs, "batch", "v1", namespace, "jobs", resource_version=since):
            if (name := event["object"]["metadata"]["name"]) in names:
                seen.setdefault(name, time.monotonic())
            if len(seen) == len(names):
                break
    return seen
