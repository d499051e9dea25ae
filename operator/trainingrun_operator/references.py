"""What a run refers to: read now, and remembered only to know whom a change concerns."""

from collections import defaultdict

from pydantic import ValidationError

from trainingrun_api.base_model import BaseModel
from trainingrun_api.names import RUN_KIND
from trainingrun_api.problems import problems
from trainingrun_api.resolved_spec import Defaults, NoOutputError, ResolvedSpec
from trainingrun_api.run_config import BaseModelSource, OtherDatasets, References
from trainingrun_api.spec import TrainingRunSpec
from trainingrun_api.status import Reason

from .base_models import in_a_circle, source_of, source_of_run
from .blocked import Blocked, every, together
from .cache import Cache
from .projects import Projects
from .resources import Referent, Resolution, Run, RunKey
from .resumed import results_of_failed
from .settings import Settings


class Resolver:
    """Reads references, and knows which runs wait for which object."""

    def __init__(self, cache: Cache, settings: Settings) -> None:
        self._cache = cache
        self._settings = settings
        self._defaults = Defaults(settings.default_base_model, settings.default_output)
        self._projects = Projects(cache, settings, self.wait)
        self._waiting: defaultdict[Referent, set[RunKey]] = defaultdict(set)
        self._awaited: defaultdict[RunKey, set[Referent]] = defaultdict(set)

    def dependents(self, referent: Referent) -> frozenset[RunKey]:
        """The runs that wait for it."""
        return frozenset(self._waiting.get(referent, ()))

    def forget(self, key: RunKey) -> None:
        """This run no longer waits for anything."""
        for referent in self._awaited.pop(key, ()):
            self._waiting[referent].discard(key)
            if not self._waiting[referent]:
                del self._waiting[referent]

    def wait(self, key: RunKey, referent: Referent) -> None:
        """This run waits for a change of that object."""
        self._waiting[referent].add(key)
        self._awaited[key].add(referent)

    def resolve(self, run: Run, spec: TrainingRunSpec) -> Resolution | Blocked:
        """What `run` asks for and all that it refers to."""
        resolved, others = self._spec(run.key, spec), self._others(run.key, spec)
        if isinstance(resolved, Blocked):
            return together(resolved, others)
        model = self._base_model(run.key, resolved.base_model)
        earlier = self._resumed(run.key, spec)
        local = _files_of_the_pod(resolved, OtherDatasets() if isinstance(others, Blocked) else others)
        if local or isinstance(others, Blocked) or isinstance(model, Blocked) or isinstance(earlier, Blocked):
            return together(others, model, earlier, local)
        return Resolution(resolved, References(model, others, earlier))

    def _spec(self, key: RunKey, spec: TrainingRunSpec) -> ResolvedSpec | Blocked:
        """With what the project decides, which is one of the run's namespace."""
        name = spec.dataset.project
        project = self._projects.own(key, name) if name else None
        if isinstance(project, Blocked):
            return project
        try:
            return ResolvedSpec.of(spec, project, self._defaults)
        except NoOutputError as error:
            text = f"{error}: this operator has no default output. Set it in a new run"
            return Blocked(Reason.INVALID_SPEC, text, permanent=True)
        except ValidationError as error:
            # Each is valid for itself, so it is the project's defaults that the run's settings don't go with.
            wrong = "; ".join(problems(error, "spec"))
            text = f"Combined with the defaults of TrainingProject {name}: {wrong}. Set these in a new run"
            return Blocked(Reason.INVALID_SPEC, text, permanent=True)

    def _others(self, key: RunKey, spec: TrainingRunSpec) -> OtherDatasets | Blocked:
        additional = every(
            self._projects.data_set(key, dataset, f"spec.additionalDatasets[{number}]")
            for number, dataset in enumerate(spec.additional_datasets)
        )
        named = spec.evaluation_dataset
        evaluation = self._projects.data_set(key, named, "spec.evaluationDataset") if named else None
        if isinstance(additional, Blocked) or isinstance(evaluation, Blocked):
            return together(additional, evaluation)
        return OtherDatasets(tuple(additional), evaluation)

    def _base_model(self, key: RunKey, model: BaseModel | None) -> BaseModelSource | Blocked:
        if model is None or model.from_run is None:
            return source_of(model, self._settings)
        parent = RunKey(key.namespace, model.from_run.name)
        self.wait(key, Referent(RUN_KIND, *parent))
        run = self._cache.runs.get(parent)
        if run is None:
            text = f"Base model: TrainingRun {parent.name} does not exist in {key.namespace}; create it"
            return Blocked(Reason.BASE_MODEL_NOT_FOUND, text)
        circle = self._circle(key, run)
        return in_a_circle(circle) if circle else source_of_run(run)

    def _resumed(self, key: RunKey, spec: TrainingRunSpec) -> str | Blocked | None:
        """The results of the failed run that this one resumes; None when it starts from the beginning."""
        if spec.resume_from is None:
            return None
        earlier = RunKey(key.namespace, spec.resume_from.name)
        self.wait(key, Referent(RUN_KIND, *earlier))
        run = self._cache.runs.get(earlier)
        return results_of_failed(earlier.name, None if earlier == key else run)

    def _circle(self, key: RunKey, parent: Run) -> list[str]:
        """Names of runs each of which starts from the next one, and the last from the first; else none."""
        names, ahead = [key.name], parent
        while ahead.key.name not in names:
            names.append(ahead.key.name)
            further = self._parent(key, ahead)
            if further is None:
                return []
            ahead = further
        return names[names.index(ahead.key.name) :]

    def _parent(self, key: RunKey, run: Run) -> Run | None:
        """The run that `run`, which has not started yet, starts from; `key` hears of changes."""
        if run.spec is None or run.status.started_with is not None:
            return None
        spec = self._spec(key, run.spec)
        model = None if isinstance(spec, Blocked) else spec.base_model
        if model is None or model.from_run is None:
            return None
        parent = RunKey(key.namespace, model.from_run.name)
        self.wait(key, Referent(RUN_KIND, *parent))
        return self._cache.runs.get(parent)


def _files_of_the_pod(spec: ResolvedSpec, others: OtherDatasets) -> Blocked | None:
    """A pod's files are gone with it, so results there would be lost, and data can't be there."""
    named = [
        ("spec.dataset", spec.dataset),
        *((source.setting, source) for source in others.all()),
        ("spec.baseModel", spec.base_model),
        ("spec.output", spec.output),
    ]
    local = [f"{field} ({at.uri})" for field, at in named if at and (at.uri or "").startswith("file:")]
    if not local:
        return None
    text = f"{' and '.join(local)}: pods can't access local files; use s3:// in a new run"
    return Blocked(Reason.INVALID_SPEC, text, permanent=True)
