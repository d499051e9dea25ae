"""A model name for each run, never two the same in a namespace."""

import hashlib

from trainingrun_api.model_names import candidate_names
from trainingrun_api.names import API_VERSION, MANAGED_BY_LABEL, OPERATOR, RUN_KIND
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .blocked import Blocked
from .cache import Cache
from .cluster import Cluster
from .errors import ApiError
from .kinds import LEASES, RUNS
from .references import Resolver
from .resources import Manifest, Referent, Run, RunKey, key_of


class ModelNames:
    """Gives out names: a run keeps the one in its status.modelName until the run is deleted.

    The cache says who has a name or comes first in asking for it. It may not know yet what another operator
    did a moment ago: so each name has a Lease, called after a hash of it, of which the API server takes only
    one. It belongs to the run and is collected with it.
    """

    def __init__(self, cluster: Cluster, cache: Cache, resolver: Resolver) -> None:
        self._cluster = cluster
        self._cache = cache
        self._resolver = resolver

    async def reserve(self, run: Run, spec: TrainingRunSpec) -> str | Blocked:
        """A name for the run that no other has; it is written into its status with what is next.

        Blocked while another run has the one that this one asks for.
        """
        if run.status.model_name is not None:
            return run.status.model_name
        if spec.model_name is None:
            return await self._random(run)
        holder = await self._holder(run, spec.model_name)
        return _taken(holder, spec.model_name) if holder else spec.model_name

    async def _random(self, run: Run) -> str:
        for name in candidate_names(run.uid):
            if not self._others(run, name) and await self._create_lease(run, name) is None:
                return name
        raise AssertionError("there are endless candidates")

    async def _holder(self, run: Run, name: str) -> RunKey | None:
        """Who has the name that the run asks for, or comes before it; None once the name is the run's."""
        first = holder_of(run, name, self._others(run, name))
        if first is None:
            return await self._create_lease(run, name)
        self._resolver.wait(run.key, Referent(RUN_KIND, *first.key))
        return first.key

    def _others(self, run: Run, name: str) -> list[Run]:
        about = self._cache.runs.group((run.key.namespace, name))
        return [other for other in about if other.uid != run.uid]

    async def _create_lease(self, run: Run, name: str) -> RunKey | None:
        """Have the name's Lease; else who has it."""
        lease = name_lease(run, name)
        while True:
            try:
                await self._cluster.create(LEASES, lease)
            except ApiError as error:
                if error.status != 409:
                    raise
            else:
                return None
            held = await self._cluster.get(LEASES, key_of(lease))
            if held is not None:
                holder, uid = _holder_of(held)
                if uid == run.uid:
                    return None
                # Before it is looked at, so that its deletion in between is not missed.
                self._resolver.wait(run.key, Referent(RUN_KIND, *holder))
                if await self._is_there(holder, uid):
                    return holder
                # Its run is gone, and the garbage collector has only not come by yet.
                await self._delete(held)

    async def _delete(self, lease: Manifest) -> None:
        try:
            await self._cluster.delete(LEASES, key_of(lease), lease["metadata"]["uid"])
        except ApiError as error:
            if error.status not in {404, 409}:  # another did
                raise

    async def _is_there(self, key: RunKey, uid: str) -> bool:
        run = await self._cluster.get(RUNS, key)
        return run is not None and run["metadata"]["uid"] == uid


def holder_of(run: Run, name: str, others: list[Run]) -> Run | None:
    """Which of the others has this name, or comes before `run` in asking for it; None for none of them."""
    before = [other for other in others if _asks(other, name) and other.age < run.age]
    holders = [other for other in others if other.status.model_name == name]
    return next(iter(holders), None) or min(before, key=lambda other: other.age, default=None)


def name_lease(run: Run, name: str) -> Manifest:
    """The Lease that stands for a model's name in a namespace, held by `run`."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:40]
    owner = {"apiVersion": API_VERSION, "kind": RUN_KIND, "name": run.key.name, "uid": run.uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": f"model-name-{digest}",
            "namespace": run.key.namespace,
            "labels": {MANAGED_BY_LABEL: OPERATOR},
            "ownerReferences": [owner],
        },
        "spec": {"holderIdentity": run.key.name},
    }


def _holder_of(lease: Manifest) -> tuple[RunKey, str]:
    """The run that has the Lease, and its UID."""
    metadata = lease["metadata"]
    owner = next(iter(metadata.get("ownerReferences", ())), {"name": "-", "uid": ""})
    return RunKey(metadata["namespace"], owner["name"]), owner["uid"]


def _asks(other: Run, name: str) -> bool:
    # One that is finished without having got it gave up.
    open_still = other.status.model_name is None and not other.status.phase.finished
    return open_still and other.spec is not None and other.spec.model_name == name


def _taken(holder: RunKey, name: str) -> Blocked:
    text = (
        f"spec.modelName {name!r} is taken by TrainingRun {holder.name}; waiting until "
        f"that run is deleted (kubectl delete trainingrun {holder.name} -n {holder.namespace}); "
        "or apply a new run with another modelName"
    )
    return Blocked(Reason.MODEL_NAME_TAKEN, text)
