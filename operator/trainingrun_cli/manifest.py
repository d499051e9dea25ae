"""Manifests as kubectl would read them, checked by the contract instead of an API server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from trainingrun_api.base import Model
from trainingrun_api.defaults import effective_spec
from trainingrun_api.names import API_VERSION, PROJECT_KIND, RUN_KIND
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec

from .errors import CommandError

Spec = TypeVar("Spec", bound=Model)


@dataclass(frozen=True)
class Manifest:
    """One TrainingRun and the TrainingProject it names."""

    name: str
    namespace: str
    spec: TrainingRunSpec
    project: TrainingProjectSpec | None


def read_manifest(path: Path) -> Manifest:
    """The TrainingRun in `path`, with its project from the same file.

    Raises CommandError with every problem of the file, each with its field.
    """
    documents = _documents(path)
    runs = [d for d in documents if d.get("kind") == RUN_KIND]
    if len(runs) != 1:
        raise CommandError(f"{path} holds {len(runs)} TrainingRuns; give a file with exactly one")
    run = runs[0]
    metadata = run.get("metadata", {})
    name = metadata.get("name")
    if not name:
        raise CommandError(f"{path}: metadata.name of the TrainingRun is missing")
    spec = _spec(path, run, TrainingRunSpec)
    project = _project(path, documents, spec)
    _require_fitting(path, spec, project)
    return Manifest(name, metadata.get("namespace", "default"), spec, project)


def _documents(path: Path) -> list[dict[str, Any]]:
    try:
        documents = [d for d in yaml.safe_load_all(path.read_text()) if d]
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommandError(f"{path} is no YAML: {error}") from error
    for document in documents:
        if not isinstance(document, dict) or document.get("apiVersion") != API_VERSION:
            raise CommandError(f"{path}: each document needs apiVersion: {API_VERSION}")
    return documents


def _project(
    path: Path, documents: list[dict[str, Any]], spec: TrainingRunSpec
) -> TrainingProjectSpec | None:
    wanted = spec.dataset.project
    if wanted is None:
        return None
    for document in documents:
        if document.get("kind") == PROJECT_KIND and document.get("metadata", {}).get("name") == wanted:
            return _spec(path, document, TrainingProjectSpec)
    raise CommandError(f"{path}: TrainingProject {wanted!r} is not in the file; add it as a second document")


def _require_fitting(path: Path, spec: TrainingRunSpec, project: TrainingProjectSpec | None) -> None:
    try:
        effective_spec(spec, project)
    except ValidationError as error:
        place = f"{path}, {RUN_KIND} with the defaults of {PROJECT_KIND} {spec.dataset.project}"
        raise CommandError(_problems(place, error)) from error


def _spec(path: Path, document: dict[str, Any], model: type[Spec]) -> Spec:
    try:
        return model.model_validate(document.get("spec", {}))
    except ValidationError as error:
        raise CommandError(_problems(f"{path}, {document['kind']}", error)) from error


def _problems(place: str, error: ValidationError) -> str:
    return "\n".join([f"{place}:", *(f"  spec{_path(e['loc'])}: {e['msg']}" for e in error.errors())])


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
