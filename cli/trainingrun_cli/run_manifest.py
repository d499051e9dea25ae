"""Manifests as kubectl would read them, checked by the contract instead of an API server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from trainingrun_api.base import Model
from trainingrun_api.dataset import DatasetReference, DataSource
from trainingrun_api.names import PROJECT_KIND, RUN_KIND
from trainingrun_api.resolved_spec import ResolvedSpec
from trainingrun_api.run_config import OtherDatasets
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec

from .documents import Document, read_documents, validation_problems
from .errors import CommandError

DEFAULT_NAMESPACE = "default"
Spec = TypeVar("Spec", bound=Model)


@dataclass(frozen=True)
class RunManifest:
    """One TrainingRun and what it takes from the TrainingProjects it names."""

    name: str
    namespace: str
    spec: ResolvedSpec
    others: OtherDatasets
    """The data sets beside the main one."""


def read_manifest(path: Path) -> RunManifest:
    """The TrainingRun in `path`, with the projects it names from the same file.

    Raises CommandError with every problem of the file, each with its field.
    """
    documents = read_documents(path)
    runs = [document for document in documents if document.kind == RUN_KIND]
    if len(runs) != 1:
        raise CommandError(f"{path} holds {len(runs)} TrainingRuns; give a file with exactly one")
    run = runs[0]
    namespace = run.metadata.namespace or DEFAULT_NAMESPACE
    spec = _spec(path, run, TrainingRunSpec)
    projects = Projects(path, documents, namespace)
    own = projects.named(spec.dataset.project) if spec.dataset.project else None
    resolved = _resolved(path, spec, own)
    evaluation = spec.evaluation_dataset
    others = OtherDatasets(
        additional=tuple(
            projects.data_set(dataset, f"spec.additionalDatasets[{number}]")
            for number, dataset in enumerate(spec.additional_datasets)
        ),
        evaluation=projects.data_set(evaluation, "spec.evaluationDataset") if evaluation else None,
    )
    return RunManifest(run.metadata.name, namespace, resolved, others)


@dataclass(frozen=True)
class Projects:
    """The TrainingProjects of one file; a document without a namespace is in that of the run."""

    path: Path
    documents: list[Document]
    namespace: str

    def named(self, name: str, namespace: str | None = None) -> TrainingProjectSpec:
        """One of them. Raises CommandError when it isn't there or doesn't allow the run's namespace."""
        wanted = (name, namespace or self.namespace)
        for document in self.documents:
            found = (document.metadata.name, document.metadata.namespace or self.namespace)
            if document.kind == PROJECT_KIND and found == wanted:
                return self._allowed(_spec(self.path, document, TrainingProjectSpec), *wanted)
        place = f" of namespace {namespace}" if namespace else ""
        raise CommandError(f"{self.path}: TrainingProject {name!r}{place} is not in the file; add it there")

    def data_set(self, dataset: DatasetReference, setting: str) -> DataSource:
        """The files of a data set that may be a project's; `setting` is where the run's spec has it."""
        project = self.named(dataset.project, dataset.namespace) if dataset.project else None
        return dataset.source(project.dataset if project else None, setting)

    def _allowed(self, project: TrainingProjectSpec, name: str, namespace: str) -> TrainingProjectSpec:
        if namespace != self.namespace and not project.allows(self.namespace):
            raise CommandError(
                f"{self.path}: TrainingProject {namespace}/{name} is not shared with {self.namespace}; "
                f"add {self.namespace} to its spec.allowedNamespaces"
            )
        return project


def _resolved(path: Path, spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> ResolvedSpec:
    try:
        return ResolvedSpec.of(spec, project)
    except ValidationError as error:
        place = f"{path}, {RUN_KIND} with the defaults of {PROJECT_KIND} {spec.dataset.project}"
        raise CommandError(validation_problems(place, error, "spec")) from error


def _spec(path: Path, document: Document, model: type[Spec]) -> Spec:
    try:
        # JSON and strict, since the API server takes no text for a number either.
        return model.model_validate_json(json.dumps(document.spec), strict=True)
    except ValidationError as error:
        raise CommandError(validation_problems(f"{path}, {document.kind}", error, "spec")) from error
