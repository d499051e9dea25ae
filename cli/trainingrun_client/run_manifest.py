"""One TrainingRun of a file, with what it takes from the TrainingProjects that it names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trainingrun_api.dataset import DatasetReference, DataSource
from trainingrun_api.references import Output
from trainingrun_api.resolved_spec import Defaults, ResolvedSpec
from trainingrun_api.resources import TrainingProject, TrainingRun
from trainingrun_api.run_config import OtherDatasets
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec

from .documents import read_documents, validation_problems
from .errors import ClientError

DEFAULT_NAMESPACE = "default"
LOCAL = Defaults(output=Output(uri="file:///"))
"""A local run needs no output of its own: it writes into a folder that the command names."""


class ProjectMissingError(ClientError):
    """A run names a project that is not there."""

    def __init__(self, path: Path, project: str) -> None:
        super().__init__(f"{path}: TrainingProject {project!r} is not in the file; add it there")
        self.project = project


@dataclass(frozen=True)
class RunManifest:
    """A run that needs nothing but its file."""

    name: str
    namespace: str
    spec: ResolvedSpec
    others: OtherDatasets
    """The data sets beside the main one."""


def read_manifest(path: Path) -> RunManifest:
    """The TrainingRun in `path`, with the projects it names from the same file.

    Raises ClientError with every problem of the file, each with its field.
    """
    documents = read_documents(path)
    if len(documents.runs) != 1:
        raise ClientError(f"{path} has {len(documents.runs)} TrainingRuns; it must have exactly one")
    return resolve(documents.runs[0], documents.projects, path)


def resolve(run: TrainingRun, known: Sequence[TrainingProject], path: Path) -> RunManifest:
    """The run with what its projects decide, of those that are `known`. Raises ClientError, with the `path`
    of the run's file.
    """
    namespace = run.metadata.namespace or DEFAULT_NAMESPACE
    projects = _Projects(path, known, namespace)
    own = projects.named(run.spec.dataset.project) if run.spec.dataset.project else None
    resolved = _resolved(path, run.spec, own)
    evaluation = run.spec.evaluation_dataset
    others = OtherDatasets(
        additional=tuple(
            projects.data_set(dataset, f"spec.additionalDatasets[{number}]")
            for number, dataset in enumerate(run.spec.additional_datasets)
        ),
        evaluation=projects.data_set(evaluation, "spec.evaluationDataset") if evaluation else None,
    )
    name = run.metadata.name or f"{run.metadata.generate_name}local"
    return RunManifest(name, namespace, resolved, others)


@dataclass(frozen=True)
class _Projects:
    """Those that a run can name; one without a namespace is in that of the run."""

    path: Path
    known: Sequence[TrainingProject]
    namespace: str

    def named(self, name: str, namespace: str | None = None) -> TrainingProjectSpec:
        """One of them. Raises ClientError when it isn't there or doesn't allow the run's namespace."""
        wanted = (name, namespace or self.namespace)
        for project in self.known:
            found = (project.metadata.name, project.metadata.namespace or self.namespace)
            if found == wanted:
                return self._allowed(project.spec, *wanted)
        raise ProjectMissingError(self.path, f"{namespace}/{name}" if namespace else name)

    def data_set(self, dataset: DatasetReference, setting: str) -> DataSource:
        """The files of a data set that may be a project's; `setting` is where the run's spec has it."""
        project = self.named(dataset.project, dataset.namespace) if dataset.project else None
        return dataset.source(project.dataset if project else None, setting)

    def _allowed(self, project: TrainingProjectSpec, name: str, namespace: str) -> TrainingProjectSpec:
        if namespace != self.namespace and not project.allows(self.namespace):
            raise ClientError(
                f"{self.path}: TrainingProject {namespace}/{name} is not shared with "
                f"{self.namespace}; add {self.namespace} to its spec.allowedNamespaces"
            )
        return project


def _resolved(path: Path, spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> ResolvedSpec:
    try:
        return ResolvedSpec.of(spec, project, LOCAL)
    except ValidationError as error:
        place = f"{path}, TrainingRun with the defaults of TrainingProject {spec.dataset.project}"
        raise ClientError(validation_problems(place, error, "spec")) from error
