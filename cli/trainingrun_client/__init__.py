"""Runs on a cluster, from Python.

from trainingrun_client import Client, TrainingRun

client = Client(namespace="team")
run = client.submit(TrainingRun(metadata={"name": "tickets"}, spec={...}))
for now in client.watch(run.name):
    print(now.status.phase)
"""

from trainingrun_api.resources import TrainingProject, TrainingRun

from .client import Client
from .documents import read_documents
from .errors import ClientError, UnreachableError
from .run_manifest import read_manifest

__all__ = [
    "Client",
    "ClientError",
    "TrainingProject",
    "TrainingRun",
    "UnreachableError",
    "read_documents",
    "read_manifest",
]
