"""Manifests checked without a cluster, by the rules that a cluster has."""

from collections.abc import Iterator
from pathlib import Path

from trainingrun_api.resources import TrainingRun
from trainingrun_client.documents import Documents, read_documents
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import ProjectMissingError, resolve


def checked(path: Path, data: Path | None) -> Iterator[str]:
    """A line for each resource of the file that is valid, and for each run's data if their folder is given.

    Raises ClientError for what a cluster would refuse, and for data that can't be trained on.
    """
    documents = read_documents(path)
    if not documents.ours:
        raise ClientError(f"{path}: there is no TrainingRun or TrainingProject")
    for project in documents.projects:
        yield f"{path}: TrainingProject {project.name} is valid"
    for run in documents.runs:
        yield from _checked_run(run, documents, data)


def _checked_run(run: TrainingRun, documents: Documents, data: Path | None) -> Iterator[str]:
    place = f"{documents.path}: TrainingRun {run.name}"
    try:
        manifest = resolve(run, documents)
    except ProjectMissingError as error:
        yield f"{place} is valid as far as it can be told without its project: {error}"
        return
    yield f"{place} is valid"
    if data is not None:
        from .data_check import check  # noqa: PLC0415  # torch takes long to import

        yield f"{place}: {check(manifest, data)}"
