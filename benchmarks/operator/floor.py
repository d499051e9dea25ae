"""The least that an operator can do: a kopf handler that only creates the run's Job."""

import asyncio
import sys
from dataclasses import dataclass

import kopf

from trainingrun_api.names import API_VERSION, GROUP, RUN_KIND, RUN_PLURAL, VERSION
from trainingrun_operator.backend import BACKEND
from trainingrun_operator.cluster import Cluster, connected
from trainingrun_operator.resources import Manifest

from .load import a_job

JOB = a_job("any", "any")


@dataclass(frozen=True)
class Memo:
    """What the handler needs."""

    cluster: Cluster


@kopf.on.event(GROUP, VERSION, RUN_PLURAL)
async def on_training_run(event: kopf.RawEvent, memo: Memo, **_: object) -> None:
    """A run was created."""
    metadata = event["object"]["metadata"]
    owner: Manifest = {"apiVersion": API_VERSION, "kind": RUN_KIND, "controller": True}
    names = {"name": metadata["name"], "namespace": metadata["namespace"]}
    owners = [owner | {"name": metadata["name"], "uid": metadata["uid"]}]
    await memo.cluster.create(BACKEND.kind, JOB | {"metadata": names | {"ownerReferences": owners}})


async def _serve() -> None:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    async with connected() as cluster:
        await kopf.operator(settings=settings, memo=Memo(cluster), standalone=True, clusterwide=True)


if __name__ == "__main__":
    kopf.configure(quiet=True)
    sys.exit(asyncio.run(_serve()))
