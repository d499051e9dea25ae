"""Manifests checked without a cluster, by the rules that a cluster has."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from trainingrun_api.resources import TrainingProject, TrainingRun
from trainingrun_client.documents import Documents, read_documents
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import ProjectMissingError, resolve


def checked(files: Sequence[Path], data: Path | None) -> Iterator[str | ClientError]:
    """A line for each resource that is valid, and for each run's data if their folder is given; an error for
    what a cluster would refuse, and for data that can't be trained on.
    """
    read: list[Documents] = []
    for file in files:
        try:
            read.append(read_documents(file))
        except ClientError as error:
            yield error
    projects = [project for documents in read for project in documents.projects]
    for documents in read:
        try:
            yield from _checked(documents, projects, data)
        except ClientError as error:
            yield error


def _checked(documents: Documents, projects: Sequence[TrainingProject], data: Path | None) -> Iterator[str]:
    if not documents.ours:
        raise ClientError(f"{documents.path}: there is no TrainingRun or TrainingProject")
    for project in documents.projects:
        yield f"{documents.path}: TrainingProject {project.name} is valid"
    for run in documents.runs:
        yield from _checked_run(run, documents, [*documents.projects, *projects], data)


def _checked_run(
    run: TrainingRun, documents: Documents, projects: Sequence[TrainingProject], data: Path | None
) -> Iterator[str]:
    place = f"{documents.path}: TrainingRun {run.name}"
    try:
        manifest = resolve(run, projects, documents.path)
    except ProjectMissingError as error:
        yield f"{place} is valid by itself; also name the file of TrainingProject {error.project}"
        return
    yield f"{place} is valid"
    if data is not None:
        from .data_check import check  # noqa: PLC0415  # torch takes long to import

        yield f"{place}: {check(manifest, data)}"
