"""What is said of a file on its way to a cluster, and what the command line changes of a run."""

from collections.abc import Sequence

import yaml

from trainingrun_client.documents import Documents
from trainingrun_client.errors import ClientError


def left_out(documents: Documents) -> str:
    """What of the file is not submitted, in words."""
    names = ", ".join(map(str, documents.foreign))
    return f"Left out: {names}. kubectl apply -f {documents.path} creates these too"


def settings(changes: Sequence[str]) -> dict[str, object]:
    """Values by their paths in a spec, from PATH=VALUE. Raises ClientError for what isn't written so."""
    return dict(map(_setting, changes))


def _setting(change: str) -> tuple[str, object]:
    path, equals, value = change.partition("=")
    if not equals or not path:
        raise ClientError(f"--set {change}: write PATH=VALUE, such as training.maxEpochs=10")
    try:
        return path, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ClientError(f"--set {change}: the value is not valid YAML") from error
