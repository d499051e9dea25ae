"""What a run refers to: read now, and remembered only to know whom a change concerns."""

from collections import defaultdict

from pydantic import ValidationError

from trainingrun_api.base_model import BaseModel
from trainingrun_api.defaults import effective_spec
from trainingrun_api.names import RUN_KIND
from trainingrun_api.problems import problems
from trainingrun_api.run_config import (
    BaseModelSource,
    OtherDatasets,
    effective_base_model,
    effective_dataset,
    effective_output,
)
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec
from trainingrun_api.status import Reason

from .base_models import Found, in_a_circle, source_of, source_of_run
from .cache import Cache
from .projects import ProjectRead, Projects
from .resources import Missing, References, Referent, Run, RunKey
from .resumed import results_of_failed
from .settings import Settings

NO_PROJECT = ProjectRead(None, None)


class Resolver:
    """Reads references, and knows which runs wait for which object."""

    def __init__(self, cache: Cache, settings: Settings) -> None:
        self._cache = cache
        self._settings = settings
        self._projects = Projects(cache, settings, self.wait)
        self._waiting: defaultdict[Referent, set[RunKey]] = defaultdict(set)
        self._awaited: defaultdict[RunKey, set[Referent]] = defaultdict(set)

    def dependents(self, referent: Referent) -> frozenset[RunKey]:
        """The runs that wait for it."""
        return frozenset(self._waiting.get(referent, ()))

    def forget(self, key: RunKey) -> None:
        """This run waits for nothing any more."""
        for referent in self._awaited.pop(key, ()):
            self._waiting[referent].discard(key)
            if not self._waiting[referent]:
                del self._waiting[referent]

    def wait(self, key: RunKey, referent: Referent) -> None:
        """This run waits for a change of that object."""
        self._waiting[referent].add(key)
        self._awaited[key].add(referent)

    def resolve(self, run: Run, spec: TrainingRunSpec) -> References:
        """All that `run` refers to; `missing` names everything that isn't there."""
        name = spec.dataset.project
        project, absent = self._projects.own(run.key, name) if name else NO_PROJECT
        others, missing_data = self._others(run.key, spec)
        if absent is not None:
            return References(missing=(absent, *missing_data))
        model = effective_base_model(spec, project) or self._settings.default_base_model
        source, missing, failure = self._base_model(run.key, model)
        earlier, missing_run, no_run = self._resumed(run.key, spec)
        waits_for = (*missing_data, *(each for each in (missing, missing_run) if each))
        failure = (
            failure or no_run or _unfit_settings(spec, project) or _files_of_the_pod(spec, project, others)
        )
        return References(project, source, hub_token_secret(model), others, earlier, waits_for, failure)

    def _others(self, key: RunKey, spec: TrainingRunSpec) -> tuple[OtherDatasets, tuple[Missing, ...]]:
        looked_up = [
            self._projects.data_set(key, dataset, f"spec.additionalDatasets[{number}]")
            for number, dataset in enumerate(spec.additional_datasets)
        ]
        additional = tuple(source for source, _ in looked_up if source)
        evaluation = None
        if spec.evaluation_dataset is not None:
            found = self._projects.data_set(key, spec.evaluation_dataset, "spec.evaluationDataset")
            looked_up.append(found)
            evaluation, _ = found
        return OtherDatasets(additional, evaluation), tuple(missing for _, missing in looked_up if missing)

    def _base_model(self, key: RunKey, model: BaseModel | None) -> Found:
        if model is None or model.from_run is None:
            return source_of(model, self._settings), None, None
        parent = RunKey(key.namespace, model.from_run.name)
        self.wait(key, Referent(RUN_KIND, *parent))
        run = self._cache.runs.get(parent)
        if run is None:
            text = f"TrainingRun {parent.name}, the base model, does not exist in {key.namespace}; create it"
            return BaseModelSource(), Missing(Reason.BASE_MODEL_NOT_FOUND, text), None
        circle = self._circle(key, run)
        return in_a_circle(circle) if circle else source_of_run(run)

    def _resumed(
        self, key: RunKey, spec: TrainingRunSpec
    ) -> tuple[str | None, Missing | None, Missing | None]:
        """The results of the failed run that this one goes on from, what it waits for, why there are none."""
        if spec.resume_from is None:
            return None, None, None
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
        name = run.spec.dataset.project
        project, _ = self._projects.own(key, name) if name else NO_PROJECT
        model = effective_base_model(run.spec, project)
        if model is None or model.from_run is None:
            return None
        parent = RunKey(key.namespace, model.from_run.name)
        self.wait(key, Referent(RUN_KIND, *parent))
        return self._cache.runs.get(parent)


def hub_token_secret(model: BaseModel | None) -> str | None:
    """Name of the Secret with the token for the Hugging Face hub."""
    reference = model.hugging_face.token_secret_ref if model and model.hugging_face else None
    return reference.name if reference else None


def _unfit_settings(spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> Missing | None:
    """Each is valid for itself, so it is the project's defaults that the run's settings don't go with."""
    try:
        effective_spec(spec, project)
    except ValidationError as error:
        wrong = "; ".join(problems(error, "spec"))
        text = (
            f"With the defaults of TrainingProject {spec.dataset.project}: {wrong}. "
            "Set these fields in a new run"
        )
        return Missing(Reason.INVALID_SPEC, text)
    return None


def _files_of_the_pod(
    spec: TrainingRunSpec, project: TrainingProjectSpec | None, others: OtherDatasets
) -> Missing | None:
    """A pod's files are gone with it, so results there would be lost, and data can't be there."""
    named = [
        ("spec.dataset", effective_dataset(spec, project)),
        *((source.setting, source) for source in others.all()),
        ("spec.baseModel", effective_base_model(spec, project)),
        ("spec.output", effective_output(spec, project)),
    ]
    local = [f"{field} ({at.uri})" for field, at in named if at and (at.uri or "").startswith("file:")]
    if not local:
        return None
    text = f"{' and '.join(local)}: pods have no such files; use s3:// in a new run"
    return Missing(Reason.INVALID_SPEC, text)
