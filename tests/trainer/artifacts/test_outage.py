"""An object store that goes away, comes back, or stays away."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from localcluster import S3Server
from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.s3 import S3Credentials, s3_server
from trainingrun_api.names import CREDENTIALS_VARIABLE, STORAGE_FOLDER
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_api.status import Reason
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import StorageUnavailableError

from ..conftest import changed
from ..mounted import MountedSecret, storage_keys

pytestmark = pytest.mark.slow


class Outage:
    """A listener that takes the server away in the second epoch, and brings it back once that is noticed."""

    def __init__(self, folder: Path, *, for_good: bool = False) -> None:
        self._folder, self._for_good = folder, for_good
        self._port, self._credentials = free_port(), S3Credentials()
        self.endpoint = f"http://{LOOPBACK}:{self._port}"
        self.access_key, self.secret_key = self._credentials.access_key, self._credentials.secret_key
        self.notices: list[str] = []
        self._server = ExitStack()
        self._noticed, self._tested = threading.Event(), threading.Event()
        # The server ends with the thread that starts it.
        self._second = threading.Thread(target=self._come_back)
        (folder / "data" / "bucket").mkdir(parents=True)
        self.start(self._server)
        self._second.start()

    def start(self, stack: ExitStack) -> None:
        command = s3_server(self._folder / "data", LOOPBACK, self._port, self._credentials)
        run(stack, command, self._folder)

    def __call__(self, report: ProgressReport) -> None:
        if report.progress.step >= 8:
            self._server.close()
        notice = report.progress.notice
        if notice is not None:
            assert notice.reason is Reason.STORAGE_UNAVAILABLE
            self.notices.append(f"{report.progress.stage} {notice.message}")
            self._noticed.set()

    def _come_back(self) -> None:
        self._noticed.wait()
        with ExitStack() as stack:
            if not self._for_good:
                self.start(stack)
            self._tested.wait()

    def end(self) -> None:
        for event in (self._noticed, self._tested):
            event.set()
        self._second.join()
        self._server.close()


@pytest.fixture
def outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Outage]:
    outage = Outage(tmp_path / "server", for_good=request.param)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", outage.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", outage.secret_key)
    yield outage
    outage.end()


def remote(config: RunConfig, outage: Outage, patience: int) -> RunConfig:
    storage = Storage(endpoint=outage.endpoint, patience_seconds=patience)
    return changed(config, storage=storage, output_prefix="s3://bucket/run")


@pytest.mark.parametrize("outage", [False], indirect=True)
def test_training_goes_on_while_the_store_is_away_and_all_is_uploaded_afterwards(
    config: RunConfig, outage: Outage
) -> None:
    reports: list[ProgressReport] = []
    away = remote(config, outage, patience=600)
    result = pipeline.run(away, lambda report: (reports.append(report), outage(report)))
    assert result.epochs == 3
    assert "Results can't be written to the object store, which is retried until " in outage.notices[0]
    assert reports[-1].progress.notice is None
    store = open_store(away.output_prefix, away.storage)
    assert store.exists(f"{away.output_prefix}/model/COMMITTED")
    assert any("/epoch-0003/COMMITTED" in uri for uri in store.files(f"{away.output_prefix}/checkpoints/"))


@pytest.mark.parametrize("outage", [True], indirect=True)
def test_a_store_that_stays_away_ends_the_run_when_patience_is_over(
    config: RunConfig, outage: Outage
) -> None:
    with pytest.raises(StorageUnavailableError, match=outage.endpoint):
        pipeline.run(remote(config, outage, patience=2), outage)


class Rotation:
    """A listener that mounts other keys: wrong ones in the second epoch, right ones when that is noticed."""

    def __init__(self, server: S3Server, credentials: Path) -> None:
        self._right = storage_keys(server)
        self._secret = MountedSecret(credentials, STORAGE_FOLDER, self._right)
        self._replaced = False
        self.notices: list[str] = []

    def __call__(self, report: ProgressReport) -> None:
        if report.progress.step == 8 and not self._replaced:
            self._replaced = True
            self._secret.change(self._right | {"AWS_SECRET_ACCESS_KEY": "replaced"})
        if report.progress.notice is not None and not self.notices:
            self.notices.append(report.progress.notice.message)
            assert report.progress.notice.reason is Reason.STORAGE_REFUSED
            self._secret.change(self._right)


def test_keys_that_are_replaced_are_taken_over(
    config: RunConfig, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(tmp_path / "credentials"))
    rotation = Rotation(s3, tmp_path / "credentials")
    storage = Storage(endpoint=s3.endpoint, credentials_secret="store", patience_seconds=600)
    result = pipeline.run(changed(config, storage=storage, output_prefix="s3://bucket/rotated"), rotation)
    assert result.epochs == 3
    assert "the secret key is wrong; correct AWS_ACCESS_KEY_ID and" in rotation.notices[0]
    assert open_store("s3://bucket", storage).exists("s3://bucket/rotated/model/COMMITTED")
