"""Where results are: folders of this machine, and object stores as they are reached from here."""

import json
from pathlib import Path

from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.problems import problems
from trainingrun_api.run_config import Storage

from .errors import ClientError


def newest_output(folder: Path) -> Path | None:
    """The folder itself if it holds the results of a finished run, else the newest one in it that does.

    A run's folder has one for each time that it was trained.
    """
    if _is_last(folder / ArtifactName.EVALUATION):
        return folder
    finished = sorted(
        filter(_is_last, folder.glob(f"*/{ArtifactName.EVALUATION}")), key=lambda path: path.stat().st_mtime
    )
    return finished[-1].parent if finished else None


def _is_last(evaluation: Path) -> bool:
    """Whether it is there, and not one that was written while training went on."""
    if not evaluation.is_file():
        return False
    try:
        return bool(json.loads(evaluation.read_bytes()).get("finished", True))
    except ValueError:
        return True  # who reads it says what is wrong with it


def storage_at(endpoint: str | None, region: str | None) -> Storage:
    """The server at that URL, AWS for None; without a region, the usual one.

    Raises ClientError for what can't be a server's URL, or a region.
    """
    try:
        return Storage(endpoint=endpoint, region=region or Storage().region)
    except ValidationError as error:
        raise ClientError(
            f"{'; '.join(problems(error))}; see --endpoint, AWS_ENDPOINT_URL and AWS_REGION"
        ) from error
