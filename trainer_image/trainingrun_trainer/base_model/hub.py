"""Download a model from the Hugging Face hub or a mirror of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils.tqdm import disable_progress_bars

from trainingrun_api.run_config import HubModel

from .. import model
from ..credentials import require_sendable
from ..errors import ModelError, StorageUnavailableError, TrainerError

FIELD = "spec.baseModel.huggingFace"

TIMEOUT_SECONDS = 30.0

UNAUTHORISED = {401, 403}
PASSING = {408, 425, 429}
"""Client errors that another attempt may not meet; those of the server may pass as well."""


def download(hub: HubModel, folder: Path, *, allow_pickled: bool) -> str:
    """Copy the model's files into `folder`; gives the commit they are of.

    Raises ModelError for what has to be changed in the spec, StorageUnavailableError for what may pass.
    """
    disable_progress_bars()
    # An explicit token: the variable is looked for when it is needed, not when the library is imported.
    token = os.environ.get("HF_TOKEN")
    require_sendable(
        token, f"the token in HF_TOKEN, on a cluster of the Secret of {FIELD}.tokenSecretRef,", ModelError
    )
    api = HfApi(endpoint=hub.endpoint, token=token)
    with _translated(hub):
        found = api.model_info(hub.repo_id, revision=hub.revision, timeout=TIMEOUT_SECONDS)
        names = [file.rfilename for file in found.siblings or []]
        wanted = model.wanted_files(names, allow_pickled=allow_pickled)
        commit = str(found.sha)
        # One by one: a snapshot asks for the repository's tree, which not every mirror knows.
        for name in wanted:
            api.hf_hub_download(hub.repo_id, name, revision=commit, local_dir=folder)
    if "config.json" not in wanted:
        raise ModelError(f"{_name(hub)}: there is no config.json; choose another in {FIELD}.repoId")
    return commit


@contextmanager
def _translated(hub: HubModel) -> Iterator[None]:
    try:
        yield
    except (HfHubHTTPError, HFValidationError) as error:
        raise _refusal(hub, error) from None
    except (httpx2.HTTPError, OSError) as error:
        # The library's own words for a connection that fails are several lines on offline mode.
        cause = str(error).strip().splitlines() or [type(error).__name__]
        text = "see that pods may reach it, or have a mirror set up with the operator's hubEndpoint"
        raise StorageUnavailableError(f"{_name(hub)} can't be read ({cause[0][:300]}); {text}") from None


def _refusal(hub: HubModel, error: HfHubHTTPError | HFValidationError) -> TrainerError:
    name = _name(hub)
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{name} is gated: accept its terms on its page, and name a Secret with a token of that account "
            f"in {FIELD}.tokenSecretRef"
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelError(f"{name} has no revision {hub.revision!r}; correct {FIELD}.revision")
    if isinstance(error, HFValidationError):
        return ModelError(f"{name} is no valid name of a repository; correct {FIELD}.repoId")
    status = error.response.status_code
    if isinstance(error, RepositoryNotFoundError) or status in UNAUTHORISED:
        token = "with the token given" if os.environ.get("HF_TOKEN") else "without a token"
        return ModelError(
            f"{name} does not exist or can't be read {token}: correct {FIELD}.repoId, or name a Secret with "
            f"a valid token in {FIELD}.tokenSecretRef"
        )
    if status in PASSING or status >= 500:
        return StorageUnavailableError(f"{name}: the hub answers {status}, which may pass")
    return ModelError(f"{name}: the hub answers {status}; correct {FIELD}")


def _name(hub: HubModel) -> str:
    return f"{hub.repo_id} at {hub.endpoint or constants.ENDPOINT}"
