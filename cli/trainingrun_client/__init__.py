"""Runs on a cluster, from Python.

from trainingrun_client import Client, TrainingRun

client = Client(namespace="team")
run = client.submit(TrainingRun(metadata={"name": "tickets"}, spec={...}))
for now in client.watch(run.name):
    print(now.status.phase)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import ClientError, UnreachableError

if TYPE_CHECKING:
    from trainingrun_api.resources import TrainingProject, TrainingRun

    from .client import Client
    from .documents import read_documents
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

_MODULES = {
    "Client": ".client",
    "TrainingProject": "trainingrun_api.resources",
    "TrainingRun": "trainingrun_api.resources",
    "read_documents": ".documents",
    "read_manifest": ".run_manifest",
}
"""Imported when they are used: the command, which needs the errors alone to start, would wait for them."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)
