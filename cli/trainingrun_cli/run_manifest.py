"""Manifests, read as kubectl and the API server read them, and checked by the contract."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import JsonValue, ValidationError

from trainingrun_api.base import Model
from trainingrun_api.dataset import DatasetReference, DataSource
from trainingrun_api.metadata import Metadata, RunMetadata
from trainingrun_api.names import API_VERSION, GROUP, PROJECT_KIND, RUN_KIND
from trainingrun_api.problems import problems
from trainingrun_api.references import Output
from trainingrun_api.resolved_spec import Defaults, ResolvedSpec
from trainingrun_api.run_config import OtherDatasets
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec

from .errors import CommandError

DEFAULT_NAMESPACE = "default"
LOCAL = Defaults(output=Output(uri="file:///"))
"""A local run needs no output of its own: it writes into a folder that the command names."""

Spec = TypeVar("Spec", bound=Model)


class Document(Model):
    """A resource, its spec as JSON has it; fields that are null are left out, as the API server does."""

    api_version: str
    kind: Literal["TrainingRun", "TrainingProject"]
    metadata: Metadata
    spec: dict[str, JsonValue]
    status: JsonValue = None
    """Of no concern here: it is what a cluster says of the resource."""


class RunDocument(Document):
    """A TrainingRun."""

    metadata: RunMetadata


def read_documents(path: Path) -> list[Document]:
    """The resources of this API group in a YAML file, in their order.

    Resources of other groups, such as a run's ServiceAccount or queue, matter only on a cluster and are left
    out. Raises CommandError for what is no YAML in UTF-8, and for resources that the API server would refuse
    whatever their spec is.
    """
    values = [value for value in _values(path) if value is not None]
    return [_document(path, value) for value in values if not _is_of_another_group(value)]


def validation_problems(place: str, error: ValidationError, field: str = "") -> str:
    """What is wrong at a place, one line for each field below `field`."""
    return "\n  ".join([f"{place}:", *problems(error, field)])


def _values(path: Path) -> list[Any]:
    try:
        return list(yaml.load_all(path.read_bytes().decode("utf-8-sig"), _Loader))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CommandError(f"{path}, line {line}: not valid UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CommandError(
            f"{path} is not valid YAML: line {line}: {error.problem or error.context}"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not valid YAML: {error}") from error


def _is_of_another_group(value: Any) -> bool:
    """Whether it is a resource with an API version, such as v1 or apps/v1, that isn't of this group."""
    version = value.get("apiVersion") if isinstance(value, dict) else None
    return isinstance(version, str) and bool(version) and version.split("/")[0] != GROUP


def _document(path: Path, value: Any) -> Document:
    if not isinstance(value, dict) or value.get("apiVersion") != API_VERSION:
        raise CommandError(f"{path}: each document needs apiVersion: {API_VERSION}")
    model = RunDocument if value.get("kind") == RUN_KIND else Document
    try:
        return model.model_validate_json(json.dumps(_without_nulls(value), allow_nan=False), strict=True)
    except ValidationError as error:
        raise CommandError(validation_problems(str(path), error)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise CommandError(f"{path}: {error}; use only values that JSON has") from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


class _Loader(yaml.SafeLoader):
    """What kubectl takes for a number is one, dates are text, and no key stands twice."""

    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(("timestamp", "float"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping as it is written, before others are merged into it."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key.value}", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return node

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """A whole number is one, as in the JSON that kubectl sends."""
        number = float(super().construct_yaml_float(node))
        return int(number) if number.is_integer() else number


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


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
        raise CommandError(f"{path} has {len(runs)} TrainingRuns; it must have exactly one")
    run = runs[0]
    namespace = run.metadata.namespace or DEFAULT_NAMESPACE
    spec = _spec(path, run, TrainingRunSpec)
    projects = ProjectDocuments(path, documents, namespace)
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
class ProjectDocuments:
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
        return ResolvedSpec.of(spec, project, LOCAL)
    except ValidationError as error:
        place = f"{path}, {RUN_KIND} with the defaults of {PROJECT_KIND} {spec.dataset.project}"
        raise CommandError(validation_problems(place, error, "spec")) from error


def _spec(path: Path, document: Document, model: type[Spec]) -> Spec:
    try:
        # JSON and strict, since the API server takes no text for a number either.
        return model.model_validate_json(json.dumps(document.spec), strict=True)
    except ValidationError as error:
        raise CommandError(validation_problems(f"{path}, {document.kind}", error, "spec")) from error
