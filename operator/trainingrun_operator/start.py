"""What a run is started with, or what it waits for."""

from trainingrun_api.names import RUN_KIND
from trainingrun_api.references import LocalObjectReference
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import RunConfig
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.started_with import SecretNames, StartedWith
from trainingrun_api.status import Reason

from .backend import BACKEND
from .blocked import Blocked, together
from .model_names import ModelNames
from .references import Resolver
from .resources import Referent, Resolution, Run, RunKey
from .settings import Settings
from .status import Observation
from .work_queue import WorkQueue
from .workloads import Workloads


class Start:
    """Plans it: a model name, and all that the run refers to, as found now."""

    def __init__(
        self,
        names: ModelNames,
        resolver: Resolver,
        workloads: Workloads,
        settings: Settings,
        queue: WorkQueue,
    ) -> None:
        self._names = names
        self._resolver = resolver
        self.workloads = workloads
        self._settings = settings
        self._queue = queue

    async def plan(self, run: Run, spec: TrainingRunSpec) -> Observation:
        """With what the run is started; or why it isn't yet.

        That stands from when the status names a workload: another one in its place is made of the same.
        """
        if run.status.job_name is not None and (left := await self._leftover(run)):
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

    async def _leftover(self, run: Run) -> Blocked | None:
        """A pod of a deleted workload that still works; two would write the same checkpoints."""
        working = [pod.attempt.name for pod in await self.workloads.pods(run) if not pod.attempt.finished]
        if not working:
            return None
        text = f"The {BACKEND.kind.name} was deleted; it is recreated once its pod {working[0]} has ended"
        return Blocked(Reason.JOB_DELETED, text)

    def wake_dependents(self, key: RunKey) -> None:
        """Have the runs looked at that wait for this one, whose status was written.

        The watch may never show it, and an audit then finds nothing that the cache lacks.
        """
        for run in self._resolver.dependents(Referent(RUN_KIND, *key)):
            self._queue.add(run)

    def forget(self, key: RunKey) -> None:
        """This run no longer waits for anything."""
        self._resolver.forget(key)


def starting_with(run: Run, model_name: str, found: Resolution, settings: Settings) -> StartedWith:
    """What `run` is started with, when all that it refers to is there."""
    config = RunConfig.of(run.identity, model_name, found.spec, found.references, settings.hub_endpoint)
    told = config.model_dump(mode="json", exclude_none=True)
    return StartedWith.of(_image(found.spec, settings), told, _secrets(found.spec, config))


def _image(spec: ResolvedSpec, settings: Settings) -> str:
    if spec.own.trainer is not None:
        return spec.own.trainer.image
    templates = (spec.own.pod_template, settings.default_pod_template)
    return next((one.image for one in templates if one and one.image), settings.trainer_image)


def _secrets(spec: ResolvedSpec, config: RunConfig) -> SecretNames:
    model = spec.base_model.hugging_face if spec.base_model else None
    return SecretNames(
        storage=_name(spec.output.credentials_secret_ref),
        hub=_name(model.token_secret_ref) if model else None,
        datasets={
            asked.token_variable: asked.token_secret_ref.name
            for source in config.all_sources
            if (asked := source.hugging_face) and asked.token_secret_ref
        },
        push=_name(spec.output.hugging_face.token_secret_ref) if spec.output.hugging_face else None,
        mlflow=_name(spec.tracking.mlflow.credentials_secret_ref) if spec.tracking.mlflow else None,
    )


def _name(secret: LocalObjectReference | None) -> str | None:
    return secret.name if secret else None
