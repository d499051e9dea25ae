"""A model name for each run, never two the same in a namespace."""

import asyncio
from typing import NamedTuple

from trainingrun_api.model_names import candidate_names
from trainingrun_api.names import RUN_KIND
from trainingrun_api.status import Reason

from .cluster import Cluster
from .references import Resolver
from .resources import Missing, Referent, Run


class Claim(NamedTuple):
    """A run with its model name in status; without one, `taken` says who has the name that it asks for."""

    run: Run
    taken: Missing | None = None


class ModelNames:
    """Gives out names: a run has one from when it stands in status.modelName until the run is deleted."""

    def __init__(self, cluster: Cluster, resolver: Resolver) -> None:
        self._cluster = cluster
        self._resolver = resolver
        # Two that look at the same moment would not see each other's name.
        self._one_at_a_time = asyncio.Lock()

    async def claim(self, run: Run) -> Claim:
        """Write the run's model name into its status, once, before anything is done under that name."""
        if run.spec is None or run.status.model_name is not None:
            return Claim(run)
        async with self._one_at_a_time:
            holder, others = await self._holder(run)
            if holder is not None:
                return Claim(run, _taken(run, holder))
            name = run.spec.model_name or free_name(run, others)
            named = run.named(name)
            await self._cluster.apply_status(run.key, run.uid, named.status)
            return Claim(named)

    async def _holder(self, run: Run) -> tuple[Run | None, list[Run]]:
        waits_for: Run | None = None
        while True:
            others = await self._others(run)
            holder = holder_of(run, others)
            if holder is None or (waits_for is not None and holder.uid == waits_for.uid):
                return holder, others
            # Looked at once more after that, so that its deletion in between is not missed.
            self._resolver.wait(run.key, Referent(RUN_KIND, *holder.key))
            waits_for = holder

    async def _others(self, run: Run) -> list[Run]:
        manifests = await self._cluster.runs([run.key.namespace])
        return [other for other in map(Run.parse, manifests) if other.uid != run.uid]


def holder_of(run: Run, others: list[Run]) -> Run | None:
    """Who has the name that `run` asks for, or comes first in asking for it; None when `run` can have it."""
    wanted = run.spec.model_name if run.spec else None
    if wanted is None:
        return None
    before = [other for other in others if _asks(other, wanted) and other.age < run.age]
    holders = [other for other in others if other.status.model_name == wanted]
    return next(iter(holders), None) or min(before, key=lambda other: other.age, default=None)


def free_name(run: Run, others: list[Run]) -> str:
    """The first of the run's random names that no other has or asks for."""
    taken = {other.status.model_name for other in others}
    taken |= {other.spec.model_name for other in others if other.spec}
    return next(name for name in candidate_names(run.uid) if name not in taken)


def _asks(other: Run, name: str) -> bool:
    # One that is finished without having got it gave up.
    open_still = other.status.model_name is None and not other.status.phase.finished
    return open_still and other.spec is not None and other.spec.model_name == name


def _taken(run: Run, holder: Run) -> Missing:
    wanted = run.spec.model_name if run.spec else None
    text = (
        f"spec.modelName {wanted!r} is that of TrainingRun {holder.key.name}; waiting until "
        f"that one is deleted (kubectl delete trainingrun {holder.key.name} -n {holder.key.namespace}); "
        "or apply a new run with another modelName"
    )
    return Missing(Reason.MODEL_NAME_TAKEN, text)
