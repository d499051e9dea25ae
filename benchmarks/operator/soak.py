"""Whether memory grows with the runs that have come and gone."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubernetes import config
from kubernetes.client import CoreV1Api, CustomObjectsApi

from localcluster.process import wait_until
from trainingrun_api.names import GROUP, RUN_PLURAL, VERSION

from .lifecycle import carry_through
from .load import apply
from .stand import NAMESPACE, a_stand
from .subjects import operator

AT_ONCE = 500
EPOCH_SECONDS = 0.2


@dataclass(frozen=True)
class Soak:
    """What was left of runs that succeeded and were deleted, AT_ONCE at a time."""

    runs: int
    mebibytes: list[float]
    """Memory after each AT_ONCE of them."""
    series: int
    """Lines of the metrics that still name one of them."""


def measure(runs: int) -> Iterator[Soak]:
    """Carry so many runs through, and delete them; what is known after each AT_ONCE."""
    memory: list[float] = []
    with a_stand() as stand, operator(stand.kubeconfig) as subject:
        subject.wait_until_quiet()
        for first in range(0, runs, AT_ONCE):
            names = [f"run-{number}" for number in range(first, first + AT_ONCE)]
            applied = asyncio.run(apply(stand.kubeconfig, NAMESPACE, names))
            carry_through(stand, subject, applied.uids, EPOCH_SECONDS)
            _delete_all(stand.kubeconfig)
            wait_until(lambda: not _has_pods(stand.kubeconfig), "the pods to be gone")
            subject.wait_until_quiet()
            memory.append(subject.mebibytes())
            series = sum('name="run-' in line for line in subject.metrics().splitlines())
            yield Soak(first + AT_ONCE, memory, series)


def _delete_all(kubeconfig: Path) -> None:
    """Delete all runs, and their pods after them."""
    with config.new_client_from_config(str(kubeconfig)) as client:
        CustomObjectsApi(client).delete_collection_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, RUN_PLURAL, propagation_policy="Background"
        )


def _has_pods(kubeconfig: Path) -> bool:
    with config.new_client_from_config(str(kubeconfig)) as client:
        return bool(CoreV1Api(client).list_namespaced_pod(NAMESPACE, limit=1).items)
