"""The projects that runs refer to: their own, and those whose data sets they read besides."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from trainingrun_api.dataset import DatasetReference, DataSource
from trainingrun_api.names import PROJECT_KIND
from trainingrun_api.problems import problems
from trainingrun_api.spec import TrainingProjectSpec
from trainingrun_api.status import Reason

from .cache import Cache
from .resources import Missing, Referent, RunKey
from .settings import Settings


class ProjectRead(NamedTuple):
    """A project; else what the run waits for."""

    project: TrainingProjectSpec | None
    missing: Missing | None


class Projects:
    """Reads projects; the run is told of a change of each one that it has asked for."""

    def __init__(self, cache: Cache, settings: Settings, wait: Callable[[RunKey, Referent], None]) -> None:
        self._cache = cache
        self._settings = settings
        self._wait = wait

    def own(self, key: RunKey, name: str) -> ProjectRead:
        """A project of the run's namespace."""
        found = self._read(key, key.namespace, name)
        if found is None:
            text = f"TrainingProject {name} does not exist in namespace {key.namespace}; create it"
            return ProjectRead(None, Missing(Reason.PROJECT_NOT_FOUND, text))
        return found

    def data_set(
        self, key: RunKey, dataset: DatasetReference, setting: str
    ) -> tuple[DataSource | None, Missing | None]:
        """The files of a data set that may be a project's; without them what the run waits for.

        `setting` is where the run's spec has it.
        """
        if dataset.project is None:
            return dataset.source(None, setting), None
        namespace = dataset.namespace or key.namespace
        if namespace == key.namespace:
            project, missing = self.own(key, dataset.project)
        else:
            project, missing = self._of_another(key, namespace, dataset.project)
        return dataset.source(project.dataset if project else None, setting), missing

    def _of_another(self, key: RunKey, namespace: str, name: str) -> ProjectRead:
        served = self._settings.watch_namespaces
        if served and namespace not in served:
            text = (
                f"TrainingProject {namespace}/{name} can't be read: the operator serves the namespaces "
                f"{', '.join(served)} alone; its administrator can add {namespace} to watchNamespaces"
            )
            return ProjectRead(None, Missing(Reason.PROJECT_NOT_SHARED, text))
        found = self._read(key, namespace, name)
        if found is None or (found.project is not None and not found.project.allows(key.namespace)):
            # One text for both: who isn't allowed doesn't learn which projects there are.
            text = (
                f"TrainingProject {namespace}/{name} does not exist or is not shared with {key.namespace}; "
                f"its owner has to add {key.namespace} to its spec.allowedNamespaces"
            )
            return ProjectRead(None, Missing(Reason.PROJECT_NOT_SHARED, text))
        return found

    def _read(self, key: RunKey, namespace: str, name: str) -> ProjectRead | None:
        self._wait(key, Referent(PROJECT_KIND, namespace, name))
        manifest = self._cache.projects.get((namespace, name))
        if manifest is None:
            return None
        try:
            return ProjectRead(TrainingProjectSpec.model_validate(manifest["spec"]), None)
        except ValidationError as error:
            wrong = "; ".join(problems(error, "spec"))
            text = f"TrainingProject {name} can't be used: {wrong}"
            return ProjectRead(None, Missing(Reason.INVALID_SPEC, text))
