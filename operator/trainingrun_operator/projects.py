"""The projects that runs refer to: their own, and those whose data sets they read besides."""

from collections.abc import Callable

from pydantic import ValidationError

from trainingrun_api.dataset import DatasetReference, DataSource
from trainingrun_api.names import PROJECT_KIND
from trainingrun_api.problems import problems
from trainingrun_api.spec import TrainingProjectSpec
from trainingrun_api.status import Reason

from .blocked import Blocked
from .cache import Cache
from .resources import Referent, RunKey
from .settings import Settings


class Projects:
    """Reads projects; the run is told of a change of each one that it has asked for."""

    def __init__(self, cache: Cache, settings: Settings, wait: Callable[[RunKey, Referent], None]) -> None:
        self._cache = cache
        self._settings = settings
        self._wait = wait

    def own(self, key: RunKey, name: str) -> TrainingProjectSpec | Blocked:
        """A project of the run's namespace."""
        found = self._read(key, key.namespace, name)
        if found is None:
            text = f"TrainingProject {name} does not exist in namespace {key.namespace}; create it"
            return Blocked(Reason.PROJECT_NOT_FOUND, text)
        return found

    def data_set(self, key: RunKey, dataset: DatasetReference, setting: str) -> DataSource | Blocked:
        """The files of a data set that may be a project's; `setting` is where the run's spec has it."""
        if dataset.project is None:
            return dataset.source(None, setting)
        namespace = dataset.namespace or key.namespace
        if namespace == key.namespace:
            project = self.own(key, dataset.project)
        else:
            project = self._of_another(key, namespace, dataset.project)
        return project if isinstance(project, Blocked) else dataset.source(project.dataset, setting)

    def _of_another(self, key: RunKey, namespace: str, name: str) -> TrainingProjectSpec | Blocked:
        served = self._settings.watch_namespaces
        if served and namespace not in served:
            text = (
                f"TrainingProject {namespace}/{name} can't be read: the operator watches only "
                f"{', '.join(served)}; ask its administrator to add {namespace} to watchNamespaces"
            )
            return Blocked(Reason.PROJECT_NOT_SHARED, text)
        found = self._read(key, namespace, name)
        if found is None or (isinstance(found, TrainingProjectSpec) and not found.allows(key.namespace)):
            # One text for both: who isn't allowed doesn't learn which projects there are.
            text = (
                f"TrainingProject {namespace}/{name} does not exist or isn't shared with {key.namespace}; "
                f"ask its owner to add {key.namespace} to its spec.allowedNamespaces"
            )
            return Blocked(Reason.PROJECT_NOT_SHARED, text)
        return found

    def _read(self, key: RunKey, namespace: str, name: str) -> TrainingProjectSpec | Blocked | None:
        self._wait(key, Referent(PROJECT_KIND, namespace, name))
        manifest = self._cache.projects.get((namespace, name))
        if manifest is None:
            return None
        try:
            return TrainingProjectSpec.model_validate(manifest["spec"])
        except ValidationError as error:
            wrong = "; ".join(problems(error, "spec"))
            text = f"TrainingProject {name} is invalid: {wrong}"
            return Blocked(Reason.INVALID_SPEC, text)
