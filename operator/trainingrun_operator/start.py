"""What a run is started with, or what it waits for."""

from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Phase, Reason

from .children import Pod
from .job import starting_with
from .jobs import Jobs
from .model_names import ModelNames
from .outcome import RunState
from .references import Resolver
from .resources import Missing, References, Run, RunKey
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
            return Observation(blocker=left)
        if run.status.job_uid is not None:
            return Observation(started_with=None if spec.suspend else run.status.started_with)
        name, taken = await self._names.reserve(run, spec)
        if spec.suspend:
            return Observation(model_name=name)
        references = self._resolver.resolve(run, spec)
        blocker = _blocker(references, taken)
        if blocker is not None or name is None:
            return Observation(blocker=blocker, model_name=name)
        started = starting_with(run, spec, name, references, self._settings)
        return Observation(model_name=name, started_with=started)

    def forget(self, key: RunKey) -> None:
        """This run waits for nothing any more."""
        self._resolver.forget(key)


def _blocker(references: References, taken: Missing | None) -> RunState | None:
    if references.failure is not None:
        return RunState(Phase.FAILED, *references.failure)
    missing = (*references.missing, *([taken] if taken else []))
    if not missing:
        return None
    return RunState(Phase.PENDING, missing[0].reason, ". ".join(each.message for each in missing))


def _leftover(pods: list[Pod]) -> RunState | None:
    """A pod of a deleted Job that still works; two would write the same checkpoints."""
    for pod in pods:
        if not pod.attempt.finished:
            text = f"The Job was deleted; it is created again when its pod {pod.attempt.name} is gone"
            return RunState(Phase.PENDING, Reason.JOB_DELETED, text)
    return None
