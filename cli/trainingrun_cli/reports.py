"""The report of a run on a cluster, fetched from its object store."""

import tempfile
from pathlib import Path

from trainingrun_api.artifacts import ArtifactName
from trainingrun_client.client import Client
from trainingrun_client.errors import ClientError
from trainingrun_trainer.errors import ObjectMissingError


def fetch(client: Client, name: str, output: Path | None) -> Path:
    """Download report.html of run `name` into `output`; gives the file.

    Raises ClientError when there is no such run or no report yet, or the store can't be reached.
    """
    run = client.results(name)
    try:
        page = run.read(ArtifactName.REPORT)
    except ObjectMissingError:
        raise ClientError(
            f"{run.name} has no report yet: {run.uri(ArtifactName.REPORT)} is not there"
        ) from None
    return write_page(page, output or Path(tempfile.mkdtemp(prefix="trainingrun-")) / f"{name}.html")


def write_page(page: bytes, path: Path) -> Path:
    """Write it; gives the file's whole path. Raises ClientError when it can't be written."""
    try:
        path.write_bytes(page)
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error
    return path.resolve()
