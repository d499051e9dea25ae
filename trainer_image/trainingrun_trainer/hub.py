"""Repositories of the Hugging Face Hub or a mirror of it, with errors in the trainer's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from trainingrun_api.names import HUB_TOKEN_KEY, HUB_TOKEN_VARIABLE

from .credentials import find_key, require_sendable
from .errors import StorageUnavailableError, TrainerError, first_line

TIMEOUT_SECONDS = 30.0

UNAUTHORISED = {401, 403}
PASSING = {408, 425, 429}
"""Client errors that another attempt may not meet; those of the server may pass as well."""


@dataclass(frozen=True)
class HubRepository:
    """A repository that a run names."""

    repo_id: str
    revision: str
    setting: str
    """Where the spec names it."""
    error: type[TrainerError]
    """What is raised for what has to be changed there."""
    mirror: str | None = None
    """URL of a mirror; the Hub when None."""
    token_variable: str = HUB_TOKEN_VARIABLE
    """Folder of the token's Secret, or variable of the environment; that of HF_TOKEN where there is none."""
    written: bool = False
    """Whether it is written to, and not only read."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.repo_id} at {self.endpoint}"

    @property
    def endpoint(self) -> str:
        """URL of the server."""
        return self.mirror or constants.ENDPOINT

    @property
    def token(self) -> str | None:
        """The token. Raises `error` for one that no request can hold."""
        # An explicit one, read anew each time: the library looks for its own when it is imported.
        names = (self.token_variable, HUB_TOKEN_VARIABLE)
        token = next(filter(None, (find_key(name, HUB_TOKEN_KEY, name) for name in names)), None)
        name = (
            f"the token in {HUB_TOKEN_VARIABLE}, on a cluster of the Secret of {self.setting}.tokenSecretRef,"
        )
        require_sendable(token, name, self.error)
        return token

    @property
    def api(self) -> HfApi:
        """The library's client."""
        return HfApi(endpoint=self.endpoint, token=self.token)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raises the library's errors as `error`, or as StorageUnavailableError for what may pass."""
        try:
            yield
        except (HfHubHTTPError, HFValidationError) as error:
            raise self._refusal(error) from None
        except (httpx2.HTTPError, OSError) as error:
            # The library's own words for a connection that fails are several lines on offline mode.
            cause = first_line(error)[:300]
            text = "see that pods may reach it, or have a mirror set up with the operator's hubEndpoint"
            raise StorageUnavailableError(f"{self.name} can't be {self._used} ({cause}); {text}") from None

    @property
    def _used(self) -> str:
        return "written to" if self.written else "read"

    def _refusal(self, error: HfHubHTTPError | HFValidationError) -> TrainerError:
        name, setting = self.name, self.setting
        if isinstance(error, GatedRepoError):
            return self.error(
                f"{name} is gated: accept its terms on its page, and name a Secret with a token of that "
                f"account in {setting}.tokenSecretRef"
            )
        if isinstance(error, RevisionNotFoundError):
            return self.error(f"{name} has no revision {self.revision!r}; correct {setting}.revision")
        if isinstance(error, HFValidationError):
            return self.error(f"{name} is not a valid name of a repository; correct {setting}.repoId")
        status = error.response.status_code
        if isinstance(error, RepositoryNotFoundError) or status in UNAUTHORISED:
            token = "with the token given" if self.token else "without a token"
            needed = "a token that may write there" if self.written else "a valid token"
            return self.error(
                f"{name} does not exist or can't be {self._used} {token}: correct {setting}.repoId, or name "
                f"a Secret with {needed} in {setting}.tokenSecretRef; without a cluster, set "
                f"{HUB_TOKEN_VARIABLE}"
            )
        if status in PASSING or status >= 500:
            return StorageUnavailableError(f"{name}: the hub answers {status}, which may pass")
        return self.error(f"{name}: the hub answers {status}; correct {setting}")
