"""Keys that are planted in a run are in nothing that it leaves, and in no error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from promises import Promise

from localcluster import S3Server
from localcluster.control_plane import LOOPBACK, free_port
from trainingrun_api.names import (
    CREDENTIALS_VARIABLE,
    HUB_TOKEN_KEY,
    HUB_TOKEN_VARIABLE,
    MLFLOW_FOLDER,
    MLFLOW_TOKEN_KEY,
    STORAGE_FOLDER,
    STORAGE_KEYS,
    ExitCode,
)
from trainingrun_api.run_config import MlflowExperiment, RunConfig, Storage
from trainingrun_trainer.artifacts import open_store

from ..artifacts.s3_proxy import Answer, Request, s3_proxy
from ..distributed.test_launcher import Pod
from ..mounted import MountedSecret
from ..trackers.mlflow_server import mlflow_server
from .attempts import Attempt
from .conftest import World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

PLANTED = "Planted0123456789abcdefSecret"


class Credentials(NamedTuple):
    """As a Secret holds them, and the words that must be nowhere."""

    access_key: str
    secret_key: str
    token: str = ""

    def mount(self, folder: Path) -> dict[str, str]:
        """Files, as the kubelet mounts them; gives the variable that names their folder."""
        keys = {name: key for name, key in zip(STORAGE_KEYS, self, strict=True) if key}
        MountedSecret(folder, STORAGE_FOLDER, keys)
        return {CREDENTIALS_VARIABLE: str(folder)}

    @property
    def words(self) -> list[str]:
        return [part.strip() for part in self if part]


def echo(request: Request) -> Answer:
    """A server that repeats all that it was told, as some do when they are asked to debug."""
    told = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    return Answer(403, f"<Error><Code>Odd</Code><Message>{told} {request.path}</Message></Error>")


def no_store(request: Request) -> Answer:
    told = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    return Answer(200, f"<html>{told}</html>", "text/html")


def broken(request: Request) -> Answer:
    return Answer(503, str(request.headers))


ERRORS: dict[str, tuple[Callable[[Request], Answer | None], Callable[[Credentials], Credentials]]] = {
    "wrong secret": (lambda _: None, lambda right: right._replace(secret_key=PLANTED)),
    "unknown key": (lambda _: None, lambda right: right._replace(access_key=PLANTED)),
    "line break": (lambda _: None, lambda right: right._replace(secret_key=f"{PLANTED}\n")),
    "line break in key": (lambda _: None, lambda right: right._replace(access_key=f"{PLANTED}\n")),
    "line break in token": (lambda _: None, lambda right: right._replace(token=f"{PLANTED}\n")),
    "server that repeats": (echo, lambda right: right._replace(token=PLANTED)),
    "no object store": (no_store, lambda right: right._replace(token=PLANTED)),
    "broken server": (broken, lambda right: right._replace(token=PLANTED)),
}
SHORT = ("wrong secret", "line break", "server that repeats")


def leaks(credentials: Credentials, *places: str) -> list[str]:
    return [word for word in credentials.words for place in places if word in place]


@pytest.mark.parametrize(
    "error", [error if error in SHORT else pytest.param(error, marks=pytest.mark.faults) for error in ERRORS]
)
def test_no_error_shows_a_key(world: World, error: str, tmp_path: Path, promise: Promise) -> None:
    refuse, spoil = ERRORS[error]
    planted = spoil(Credentials(world.server.access_key, world.server.secret_key))
    with s3_proxy(world.server, refuse) as endpoint:
        config = world.run_at("secrets", endpoint, patience=1)
        attempt = Attempt(config, tmp_path / "pod", planted.mount(tmp_path / "keys"))
        assert attempt.end() in {ExitCode.STORAGE_REFUSED, ExitCode.TEMPORARY}, attempt.log
    assert "Traceback" not in attempt.log
    assert leaks(planted, attempt.log, attempt.message) == []
    promise("Security", "No key is in the log or the termination message of a run that fails", error)


def written(config: RunConfig, storage: Storage) -> list[str]:
    """The content of all that the run has left."""
    store = open_store(config.output_prefix, storage)
    return [store.read(file).decode("latin-1") for file in store.files(f"{config.output_prefix}/")]


def test_no_key_is_in_anything_that_a_run_leaves(
    world: World, s3: S3Server, keys: dict[str, str], tmp_path: Path, promise: Promise
) -> None:
    planted = Credentials(s3.access_key, s3.secret_key)
    mounted = planted.mount(tmp_path / "keys")
    MountedSecret(tmp_path / "keys", MLFLOW_FOLDER, {MLFLOW_TOKEN_KEY: PLANTED})
    MountedSecret(tmp_path / "keys", HUB_TOKEN_VARIABLE, {HUB_TOKEN_KEY: PLANTED[::-1]})
    tracked_at = tmp_path / "mlflow"
    tracked_at.mkdir()
    with mlflow_server(tracked_at) as url:
        experiment = MlflowExperiment(tracking_uri=url, experiment="tickets")
        config = world.run_at("left").model_copy(update={"mlflow": experiment})
        attempt = Attempt(config, tmp_path / "pod", mounted)
        assert attempt.end() == ExitCode.OK, attempt.log
    left = written(config, world.storage)
    tracked = [path.read_bytes().decode("latin-1") for path in tracked_at.rglob("*") if path.is_file()]
    assert len(left) > 10
    assert any("tickets" in content for content in tracked)
    secret = planted._replace(access_key=PLANTED, token=PLANTED[::-1])
    assert leaks(secret, attempt.log, attempt.message, json.dumps(left), *tracked) == []
    assert leaks(planted, attempt.log, attempt.message, *left, *tracked) == []
    promise(
        "Security",
        "No key is in what a run leaves: results, report, log, termination message, MLflow",
        f"{len(left)} objects, {len(tracked)} files of MLflow",
    )


def test_no_process_of_a_run_has_a_key_in_its_environment(
    world: World, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    planted = Credentials(s3.access_key, s3.secret_key)
    for name in STORAGE_KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(CREDENTIALS_VARIABLE, planted.mount(tmp_path / "keys")[CREDENTIALS_VARIABLE])
    MountedSecret(tmp_path / "keys", MLFLOW_FOLDER, {MLFLOW_TOKEN_KEY: PLANTED})
    experiment = MlflowExperiment(tracking_uri=f"http://{LOOPBACK}:{free_port()}", experiment="tickets")
    pod = Pod(world.run_at("environment").model_copy(update={"mlflow": experiment}), tmp_path)
    pod.until("epoch 1")
    processes = [pod.process.pid, *pod.workers()]
    environments = [Path(f"/proc/{pid}/environ").read_bytes().decode() for pid in processes]
    assert pod.end() == ExitCode.OK, pod.output
    assert all(CREDENTIALS_VARIABLE in environment for environment in environments)
    assert leaks(planted._replace(token=PLANTED), *environments, pod.output) == []
    said = f"{len(processes)} processes of one pod"
    promise("Security", "No key is in the environment of a trainer's processes", said)
