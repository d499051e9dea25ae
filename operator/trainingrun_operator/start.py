"""What a run is started with, or what it waits for."""

from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .blocked import Blocked, together
from .children import Pod
from .job import starting_with
from .jobs import Jobs
from .model_names import ModelNames
from .references import Resolver
from .resources import Run, RunKey
from .settings import Settings
from .status import Observation


class Start:
    """Plans it: a model name, and all that the run refers to, as found now."""

    def __init__(self, names: ModelNames, resolver: Resolver, jobs: Jobs, settings: Settings) -> None:
        self._names = names
        self._resolver = resolver
        self._jobs = jobs
        self._settings = settings

    async def plan(self, run: Run, spec: TrainingRunSpec) -> Observation:
        """With what the run is started; or why it isn't yet.

        That stands from when the status names a Job: another one that takes its place is made of the same.
        """
        if run.status.job_name is not None and (left := _leftover(await self._jobs.pods(run))) is not None:
            return Observation(blocked=left)
        if run.status.job_uid is not None:
            return Observation(started_with=None if spec.suspend else run.status.started_with)
        name = await self._names.reserve(run, spec)
        reserved = None if isinstance(name, Blocked) else name
        if spec.suspend:
            return Observation(model_name=reserved)
        found = self._resolver.resolve(run, spec)
        if isinstance(name, Blocked) or isinstance(found, Blocked):
            return Observation(blocked=together(found, name), model_name=reserved)
        return Observation(model_name=name, started_with=starting_with(run, name, found, self._settings))

    def forget(self, key: RunKey) -> None:
        """This run waits for nothing any more."""
        self._resolver.forget(key)


def _leftover(pods: list[Pod]) -> Blocked | None:
    """A pod of a deleted Job that still works; two would write the same checkpoints."""
    for pod in pods:
        if not pod.attempt.finished:
            text = f"The Job was deleted; it is created again when its pod {pod.attempt.name} is gone"
            return Blocked(Reason.JOB_DELETED, text)
    return None
