"""A team's queue, with room for one run at a time."""

from typing import Any

from ..controller.cluster import Api
from ..controller.manifests import Manifest, a_run

KUEUE = "kueue.x-k8s.io/v1beta2"
QUEUE = "training"
NODES = {"pool": "training"}


class Team:
    """It has a namespace, a LocalQueue in it, and a ClusterQueue of one CPU on nodes of a pool."""

    def __init__(self, api: Api) -> None:
        self._api = api
        limits = [{"name": "cpu", "nominalQuota": 1}, {"name": "memory", "nominalQuota": "64Gi"}]
        flavor = {"name": api.namespace, "resources": limits}
        taint = {"key": "pool", "operator": "Exists", "effect": "NoSchedule"}
        quota = {
            "namespaceSelector": {},
            "resourceGroups": [{"coveredResources": ["cpu", "memory"], "flavors": [flavor]}],
            "preemption": {"withinClusterQueue": "LowerPriority"},
        }
        self._create("ResourceFlavor", api.namespace, {"nodeLabels": NODES, "tolerations": [taint]})
        self._create("ClusterQueue", api.namespace, quota)
        self._create("LocalQueue", QUEUE, {"clusterQueue": api.namespace})

    def apply(self, name: str, priority: str | None = None, **spec: Any) -> Manifest:
        """Apply a run that waits in the queue."""
        scheduling = {"queueName": QUEUE, **({"priorityClassName": priority} if priority else {})}
        return self._api.apply(a_run(name, **{"scheduling": scheduling, **spec}))

    def priority(self, name: str, value: int) -> str:
        """Create a PriorityClass; its name."""
        name = f"{name}-{self._api.namespace}"
        self._api.apply(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
            }
        )
        return name

    def job(self, name: str) -> Manifest:
        job = self._api.get("Job", name)
        assert job is not None
        return job

    def stop(self, name: str) -> None:
        """What `kueuectl stop workload` does."""
        workloads = self._api.resource("Workload", KUEUE)
        (found,) = [
            one
            for one in workloads.get(namespace=self._api.namespace).items
            if one.metadata.ownerReferences[0].name == name
        ]
        change = {"metadata": {"name": found.metadata.name}, "spec": {"active": False}}
        workloads.patch(change, namespace=self._api.namespace, content_type="application/merge-patch+json")

    def _create(self, kind: str, name: str, spec: Manifest) -> None:
        self._api.apply({"apiVersion": KUEUE, "kind": kind, "metadata": {"name": name}, "spec": spec})
