"""Runs on a real tracking server of MLflow, and without one."""

import base64
import os
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from localcluster.control_plane import LOOPBACK, free_port
from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.labels import Labels
from trainingrun_api.names import CREDENTIALS_VARIABLE, MLFLOW_FOLDER, MLFLOW_TOKEN_KEY
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import MlflowExperiment, RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import DataError, Interrupted, SettingsError
from trainingrun_trainer.pipeline.run import trackers_of
from trainingrun_trainer.trackers import Ending, Mlflow, Snapshot, Subject, mlflow

from ..conftest import changed
from ..mounted import MountedSecret
from ..report.reports import a_report, label_names, single
from .mlflow_server import mlflow_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines that run tests may be ten times slower than others."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.setattr(mlflow, "END_SECONDS", 120)


def tracked(config: RunConfig, url: str, uid: str) -> RunConfig:
    identity = config.run.model_copy(update={"uid": uid})
    return changed(config, run=identity, mlflow=MlflowExperiment(tracking_uri=url, experiment="tickets"))


def ignore(report: ProgressReport) -> None:
    """Nobody listens."""


def only_run(client: MlflowClient, uid: str) -> Run:
    """The one run with the tag."""
    experiment = client.get_experiment_by_name("tickets")
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`trainingrun.uid` = '{uid}'")
    return run


@pytest.mark.usefixtures("patience")
def test_a_restarted_run_goes_on_where_it_was(config: RunConfig, server: str) -> None:
    config = tracked(changed(config, labels=Labels(aliases={"login [old]": "login"})), server, "restarted")
    client = MlflowClient(tracking_uri=server)

    def kill(report: ProgressReport) -> None:
        if report.progress.step >= 9:  # in the second epoch
            raise Interrupted

    with pytest.raises(Interrupted):
        pipeline.run(config, kill)
    first = only_run(client, "restarted")
    assert first.info.status == "KILLED"
    assert [m.step for m in client.get_metric_history(first.info.run_id, "epoch/macro_f1")] == [0, 1]
    result = pipeline.run(config, ignore)
    run = only_run(client, "restarted")
    assert (run.info.run_id, run.info.status, run.info.run_name) == (first.info.run_id, "FINISHED", "tickets")
    path = Path(result.artifacts.evaluation.removeprefix("file://"))
    evaluation = Evaluation.model_validate_json(path.read_text())
    for metric, wanted in (
        ("step/training_loss", [(point.step, point.loss) for point in evaluation.curves.training_loss]),
        ("epoch/evaluation_loss", [(e.epoch, e.evaluation_loss) for e in evaluation.curves.epochs]),
    ):
        history = client.get_metric_history(run.info.run_id, metric)
        assert sorted((one.step, one.value) for one in history) == pytest.approx(wanted)
    assert run.data.metrics["published/accuracy"] == result.evaluation.accuracy
    assert run.data.params["training.maxEpochs"] == "3"
    assert run.data.params["recipe.learningRate"] == "0.001"
    assert run.data.params["labels.aliases.login _old_"] == "login"
    tags = {name: run.data.tags[f"trainingrun.{name}"] for name in ("namespace", "name", "uid", "model")}
    assert tags == {
        "namespace": "team",
        "name": "tickets",
        "uid": "restarted",
        "model": result.artifacts.model,
    }
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {"report.html", "evaluation.json"}


@pytest.mark.usefixtures("patience")
def test_a_failed_run_is_failed_there(config: RunConfig, server: str) -> None:
    config = tracked(changed(config, labels=Labels(include=["nothing"])), server, "failed")
    with pytest.raises(DataError):
        pipeline.run(config, ignore)
    assert only_run(MlflowClient(tracking_uri=server), "failed").info.status == "FAILED"


@pytest.mark.usefixtures("patience")
def test_a_setting_that_is_too_long_for_it_is_cut(config: RunConfig, server: str) -> None:
    config, paths = tracked(config, server, "long"), ArtifactPaths(config.output_prefix)
    assert config.mlflow is not None
    store = open_store(paths.prefix, config.storage)
    subject = Subject(config.run, "tickets", {"long": "x" * 9000}, paths.artifacts(), store)
    Mlflow(config.mlflow, subject).end(Ending.FAILED)
    assert only_run(MlflowClient(tracking_uri=server), "long").data.params == {"long": "x" * 500}


def test_a_server_that_is_down_is_warned_of(config: RunConfig, caplog: pytest.LogCaptureFixture) -> None:
    config = tracked(config, f"http://{LOOPBACK}:{free_port()}", "down")
    paths = ArtifactPaths(config.output_prefix)
    tracker = trackers_of(config, open_store(paths.prefix, config.storage), paths)
    evaluation = a_report(single(3, 20), label_names(3)).evaluation
    begun = time.monotonic()
    tracker.update(Snapshot(evaluation.recipe, evaluation.curves))
    assert time.monotonic() - begun < 1
    tracker.end(Ending.FINISHED, evaluation)
    assert time.monotonic() - begun < mlflow.END_SECONDS
    assert caplog.text.count("MLflow could not be updated, training continues") == 1


def test_a_token_that_no_request_can_hold_is_refused_without_a_word_of_it(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hidden\n")
    config, paths = tracked(config, f"http://{LOOPBACK}:9", "token"), ArtifactPaths(config.output_prefix)
    with pytest.raises(SettingsError, match=r"MLFLOW_TRACKING_TOKEN, .*contains white space") as refused:
        trackers_of(config, open_store(paths.prefix, config.storage), paths)
    assert "hidden" not in str(refused.value)


class Asked(BaseHTTPRequestHandler):
    """Remembers who asks, and turns everybody away."""

    def do_GET(self) -> None:
        self.server.who.append(self.headers["Authorization"])  # type: ignore[attr-defined]
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's own output is enough."""


def test_mounted_credentials_are_read_anew_for_each_request(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path / "credentials"))
    monkeypatch.setattr(mlflow, "END_SECONDS", 120)
    password = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pässword"}
    secret = MountedSecret(tmp_path / "credentials", MLFLOW_FOLDER, password)
    with ThreadingHTTPServer((LOOPBACK, 0), Asked) as server:
        server.who = who = []  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        config = tracked(config, f"http://{LOOPBACK}:{server.server_port}", "mounted")
        paths = ArtifactPaths(config.output_prefix)

        def asked() -> str:
            before = len(who)
            trackers_of(config, open_store(paths.prefix, config.storage), paths).end(Ending.FAILED)
            assert len(who) > before
            return str(who[-1])

        assert asked() == f"Basic {base64.b64encode('me:pässword'.encode()).decode()}"
        secret.change({MLFLOW_TOKEN_KEY: "replaced"})
        assert asked() == "Bearer replaced"
        server.shutdown()
    assert not os.environ.keys() & {*password, MLFLOW_TOKEN_KEY}
    assert "pässword" not in caplog.text
    assert "replaced" not in caplog.text


def test_a_server_that_does_not_answer_is_not_waited_for(
    config: RunConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "END_SECONDS", 0.5)
    paths = ArtifactPaths(config.output_prefix)
    with socket.create_server((LOOPBACK, 0)) as silent:
        config = tracked(config, f"http://{LOOPBACK}:{silent.getsockname()[1]}", "silent")
        tracker = trackers_of(config, open_store(paths.prefix, config.storage), paths)
        tracker.end(Ending.FAILED)
    assert "took too long, and lacks the end of this run" in caplog.text
