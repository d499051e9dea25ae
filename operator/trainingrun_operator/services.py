"""The headless Service of a run of several nodes, by which its pods find each other."""

import logging

from trainingrun_api.names import MANAGED_BY_LABEL, MASTER_PORT, OPERATOR, RUN_KIND, RUN_LABEL
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .blocked import Blocked
from .cluster import Cluster
from .errors import ApiError
from .kinds import SERVICES
from .rendezvous import PORT_NAME
from .resources import Manifest, Run, owner_of
from .workload import child_metadata

logger = logging.getLogger(__name__)


class Services:
    """Sees to it that a run has one if it needs it. All raise ApiError.

    Nothing watches them: a deleted one is missed by pods that start, whose run is looked at then.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def ensure(self, run: Run, spec: TrainingRunSpec) -> Blocked | None:
        """Create it unless it is there; why the run's pods can't have it, None when they can."""
        if spec.resources.nodes == 1:
            return None
        found = await self._cluster.get(SERVICES, run.key)
        if found is None:
            return await self._create(run)
        if _is_left_over(run, found):
            raise ApiError(409, f"the Service of an earlier TrainingRun {run.key.name} isn't collected yet")
        return None if is_service_of(run, found) else _conflict(run)

    async def _create(self, run: Run) -> Blocked | None:
        try:
            await self._cluster.create(SERVICES, service_of(run))
        except ApiError as error:
            if not error.refused:
                raise
            return Blocked(Reason.SERVICE_REFUSED, f"The API server rejects the Service: {error}")
        logger.info("%s/%s: created Service", *run.key)
        return None


def service_of(run: Run) -> Manifest:
    """The Service in whose domain each pod of `run` has a name, from its start."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(run),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {MANAGED_BY_LABEL: OPERATOR, RUN_LABEL: run.key.name},
            "ports": [{"name": PORT_NAME, "port": MASTER_PORT, "protocol": "TCP"}],
        },
    }


def is_service_of(run: Run, service: Manifest) -> bool:
    """Whether it is the run's own and leads to its pods: a changed one could lead elsewhere."""
    wanted, found = service_of(run)["spec"], service["spec"]
    same = all(found.get(name) == wanted[name] for name in ("clusterIP", "selector"))
    return same and owner_of(service) == run.uid


def _is_left_over(run: Run, service: Manifest) -> bool:
    """Whether it belongs to a deleted run of the same name, with which it goes."""
    owners = service["metadata"].get("ownerReferences", ())
    of_this_name = any((owner["kind"], owner["name"]) == (RUN_KIND, run.key.name) for owner in owners)
    return of_this_name and owner_of(service) != run.uid


def _conflict(run: Run) -> Blocked:
    namespace, name = run.key
    text = (
        f"Service {name} already exists and wasn't created for this run, or was changed since: delete it "
        f"(kubectl delete service {name} -n {namespace}), or apply the run under another name"
    )
    return Blocked(Reason.SERVICE_CONFLICT, text)
