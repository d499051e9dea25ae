"""The published model, pushed to a hub, which may fail a run before training, and never after it."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, ModelInfo
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils.tqdm import disable_progress_bars

from trainingrun_api.artifacts import MAX_PUSH_MESSAGE, ArtifactPaths, PushedModel
from trainingrun_api.names import HUB_PUSH_TOKEN_VARIABLE
from trainingrun_api.run_config import HubTarget, RunConfig
from trainingrun_api.status import Reason, Stage
from trainingrun_api.visible import visible

from ..artifacts import Store, fetch_committed, growing_pauses
from ..errors import SettingsError, StorageUnavailableError, first_line
from ..hub import TIMEOUT_SECONDS, HubRepository
from .progress import ProgressTracker

log = logging.getLogger(__name__)

SETTING = "spec.output.huggingFace"

KEPT = ".gitattributes"
"""The hub's own file, which says what of a repository is in its store of large files."""


def require_allowed(target: HubTarget) -> None:
    """Create the repository unless it is there, and have the hub say that the token may write to it.

    Raises SettingsError when it doesn't, and for a public repository where a private one is asked for. A hub
    that doesn't answer is no reason to wait: it may hours later.
    """
    try:
        _require_allowed(_repository(target), target)
    except StorageUnavailableError as error:
        log.warning("Whether the model may be pushed isn't known: %s", error)


def push(
    config: RunConfig, store: Store, paths: ArtifactPaths, progress: ProgressTracker
) -> PushedModel | None:
    """Push the committed model as one commit; None where nobody wants that.

    The same again is no further commit. What fails is told: the model is in the object store all the same.
    """
    if config.hub is None:
        return None
    progress.stage(Stage.PUBLISHING)
    try:
        with tempfile.TemporaryDirectory(prefix="trainingrun-push-") as work:
            folder = Path(work)
            if not fetch_committed(store, paths.model, folder):
                raise StorageUnavailableError(f"{paths.model}: files differ from manifest.json")
            commit = _patiently(lambda: _push(config, folder), config.storage.patience_seconds, progress)
    except Exception as error:
        log.exception("The model could not be pushed to %s", config.hub.repo_id)
        message = visible(first_line(error))[:MAX_PUSH_MESSAGE]
        return PushedModel(repo_id=config.hub.repo_id, message=message)
    log.info("Pushed to %s, revision %s", config.hub.repo_id, commit)
    return PushedModel(repo_id=config.hub.repo_id, revision=commit)


def _repository(target: HubTarget) -> HubRepository:
    disable_progress_bars()
    return HubRepository(
        target.repo_id, "main", SETTING, SettingsError, target.endpoint, HUB_PUSH_TOKEN_VARIABLE, written=True
    )


def _require_allowed(repository: HubRepository, target: HubTarget) -> None:
    with repository.errors():
        found = _found_or_created(repository, target)
        _require_writable(repository)
    if target.private and not found.private:
        raise SettingsError(
            f"{repository.name} is public, and {SETTING}.private is true: make it private, name another "
            "repository, or set private to false"
        )


def _found_or_created(repository: HubRepository, target: HubTarget) -> ModelInfo:
    # The library's own way, to create it and not mind that it is there, fails for mirrors that refuse that.
    try:
        return repository.api.model_info(target.repo_id, timeout=TIMEOUT_SECONDS)
    except RepositoryNotFoundError:
        repository.api.create_repo(target.repo_id, private=target.private)
        return repository.api.model_info(target.repo_id, timeout=TIMEOUT_SECONDS)


def _require_writable(repository: HubRepository) -> None:
    """One that is there may be read alone."""
    try:
        repository.api.auth_check(repository.repo_id, write=True)
    except RepositoryNotFoundError:
        raise
    except HfHubHTTPError as error:
        # Not every mirror knows the question.
        if error.response.status_code != 404:
            raise


def _push(config: RunConfig, folder: Path) -> str:
    """The commit that holds the files of the folder, and no others."""
    assert config.hub is not None
    repository = _repository(config.hub)
    _require_allowed(repository, config.hub)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    with repository.errors(), _errors_of_threads():
        there = set(repository.api.list_repo_files(repository.repo_id))
        done = repository.api.create_commit(
            repository.repo_id,
            [
                *(CommitOperationAdd(name, path) for name, path in sorted(files.items())),
                *(CommitOperationDelete(name) for name in sorted(there - files.keys() - {KEPT})),
            ],
            commit_message=f"{config.model_name}, of TrainingRun {config.run.namespace}/{config.run.name}",
        )
    return done.oid


@contextmanager
def _errors_of_threads() -> Iterator[None]:
    """What an upload meets in a thread, without what the library puts around it."""
    try:
        yield
    except RuntimeError as error:
        raise error.__cause__ or error from None


def _patiently(ask: Callable[[], str], patience: float, progress: ProgressTracker) -> str:
    until, pauses = time.monotonic() + patience, growing_pauses()
    while True:
        try:
            return ask()
        except StorageUnavailableError as error:
            left, pause = until - time.monotonic(), next(pauses)
            if pause > left:
                raise
            ends = datetime.now(UTC) + timedelta(seconds=left)
            text = f"The model can't be pushed, which is retried until {ends:%H:%M:%S} UTC: {error}"
            progress.notice(Reason.STORAGE_UNAVAILABLE, text)
            time.sleep(pause)
