"""Both stores keep the same promises; S3 refusals say what to fix."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from localcluster import S3Server
from trainingrun_api.run_config import Storage
from trainingrun_trainer import artifacts
from trainingrun_trainer.credentials import StorageKeys
from trainingrun_trainer.errors import (
    AlreadyWrittenError,
    ObjectMissingError,
    StorageRefusedError,
    StorageUnavailableError,
)

from .s3_proxy import Answer, Refuse, Replacing, Request, s3_error, s3_proxy

Place = tuple[artifacts.Store, str]


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A store and an empty folder in it."""
    if request.param == "file":
        return artifacts.open_store("file:///", Storage()), (tmp_path / "store").as_uri()
    server: S3Server = request.getfixturevalue("s3_credentials")
    uri = f"s3://bucket/{request.node.name.split('[')[0]}"
    return artifacts.open_store(uri, Storage(endpoint=server.endpoint)), uri


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "1_Pooling").mkdir(parents=True)
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text("[]")
    return tmp_path / "model"


def test_what_is_written_can_be_listed_read_and_deleted(place: Place) -> None:
    store, uri = place
    store.write(f"{uri}/b", b"2")
    store.write(f"{uri}/a/c", b"1")
    assert store.files(f"{uri}/") == [f"{uri}/a/c", f"{uri}/b"]
    assert store.read(f"{uri}/a/c") == b"1"
    store.delete([f"{uri}/b", f"{uri}/none"])
    assert store.exists(f"{uri}/a/c")
    assert not store.exists(f"{uri}/b")
    with pytest.raises(ObjectMissingError):
        store.read(f"{uri}/b")


def test_only_new_objects_are_written_once(place: Place) -> None:
    store, uri = place
    store.write(f"{uri}/COMMITTED", b"1", only_new=True)
    with pytest.raises(StorageUnavailableError):
        store.write(f"{uri}/COMMITTED", b"2", only_new=True)
    assert store.read(f"{uri}/COMMITTED") == b"1"


def test_a_committed_folder_comes_back_whole(place: Place, folder: Path, tmp_path: Path) -> None:
    store, uri = place
    artifacts.commit_folder(store, folder, uri)
    assert artifacts.is_committed(store, uri)
    assert artifacts.fetch_committed(store, uri, tmp_path / "copy")
    assert (tmp_path / "copy" / "1_Pooling" / "config.json").read_text() == "[]"


def damaged(store: artifacts.Store, uri: str) -> None:
    store.write(f"{uri}/config.json", b"{ }")


def uncommitted(store: artifacts.Store, uri: str) -> None:
    store.delete([f"{uri}/COMMITTED"])


def incomplete(store: artifacts.Store, uri: str) -> None:
    store.delete([f"{uri}/config.json"])


def of_another_manifest(store: artifacts.Store, uri: str) -> None:
    store.write(f"{uri}/manifest.json", b'{"files": []}')


@pytest.mark.parametrize("spoil", [damaged, uncommitted, incomplete, of_another_manifest])
def test_a_folder_that_is_not_whole_is_not_trusted_and_is_rewritten(
    place: Place, folder: Path, tmp_path: Path, spoil: Callable[[artifacts.Store, str], None]
) -> None:
    store, uri = place
    artifacts.commit_folder(store, folder, uri)
    spoil(store, uri)
    store.write(f"{uri}/left-over", b"")
    assert not artifacts.fetch_committed(store, uri, tmp_path / "copy")
    artifacts.commit_folder(store, folder, uri)
    assert artifacts.fetch_committed(store, uri, tmp_path / "copy")
    assert not store.exists(f"{uri}/left-over")


@pytest.mark.parametrize("name", ["../escaped", "1_Pooling/../../escaped", "{}/escaped"])
def test_a_manifest_that_leads_out_of_its_folder_is_not_trusted(
    folder: Path, tmp_path: Path, name: str
) -> None:
    store, uri = artifacts.open_store("file:///", Storage()), (tmp_path / "store" / "model").as_uri()
    artifacts.commit_folder(store, folder, uri)
    content, name = b"escaped", name.format(tmp_path)
    entry = {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.dumps({"files": [entry]}).encode()
    store.write(f"{uri}/{name}", content)
    store.write(f"{uri}/manifest.json", manifest)
    store.write(f"{uri}/COMMITTED", hashlib.sha256(manifest).hexdigest().encode())
    assert not artifacts.fetch_committed(store, uri, tmp_path / "copy")
    assert not (tmp_path / "escaped").exists()


def test_a_missing_bucket_is_refused(s3_credentials: S3Server) -> None:
    store = artifacts.open_store("s3://", Storage(endpoint=s3_credentials.endpoint))
    with pytest.raises(StorageRefusedError, match="the bucket does not exist; create it or correct the URI"):
        store.write("s3://nowhere/object", b"")


def test_an_unknown_access_key_is_refused(s3_credentials: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    store = artifacts.open_store("s3://", Storage(endpoint=s3_credentials.endpoint))
    with pytest.raises(StorageRefusedError, match=r"spec\.output\.credentialsSecretRef"):
        store.files("s3://bucket/")


def test_a_wrong_secret_key_is_refused(s3_credentials: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = artifacts.open_store("s3://", Storage(endpoint=s3_credentials.endpoint))
    with pytest.raises(StorageRefusedError, match="the secret key is wrong"):
        store.exists("s3://bucket/object")


def test_keys_that_are_given_are_used_whatever_the_environment_has(
    s3_credentials: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = StorageKeys(s3_credentials.access_key, s3_credentials.secret_key)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    store = artifacts.open_store("s3://", Storage(endpoint=s3_credentials.endpoint), keys)
    assert not store.exists("s3://bucket/nothing")
    assert keys.secret_key not in repr(keys)


def test_a_server_that_does_not_answer_may_come_back(s3_credentials: S3Server) -> None:
    store = artifacts.open_store("s3://", Storage(endpoint="http://127.0.0.1:9"))
    with pytest.raises(StorageUnavailableError, match=r"127\.0\.0\.1:9"):
        store.read("s3://bucket/object")


def without_content_md5(request: Request) -> Answer | None:
    """As servers that want the header which botocore no longer sends."""
    if request.path.endswith("?delete") and "Content-MD5" not in request.headers:
        return s3_error(400, "MissingContentMD5", "Missing required header for this request: Content-Md5.")
    return None


def without_delete_objects(request: Request) -> Answer | None:
    """As servers that have no DeleteObjects."""
    return s3_error(501, "NotImplemented", "?") if request.path.endswith("?delete") else None


@pytest.mark.parametrize("refuse", [without_content_md5, without_delete_objects])
def test_objects_are_deleted_one_by_one_where_the_server_refuses_to_delete_several(
    s3_credentials: S3Server, refuse: Refuse
) -> None:
    with s3_proxy(s3_credentials, refuse) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        uris = [f"s3://bucket/{refuse.__name__}/{name}" for name in ("a", "b c", "ä+&")]
        for uri in uris:
            store.write(uri, b"")
        store.delete([*uris, f"{uris[0]}-none"])
        assert store.files(f"s3://bucket/{refuse.__name__}/") == []


def test_objects_that_can_not_be_deleted_are_told(s3_credentials: S3Server) -> None:
    def read_only(request: Request) -> Answer | None:
        if request.path.endswith("?delete"):
            denied = "<Error><Key>kept</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
            return Answer(200, f"<DeleteResult>{denied}</DeleteResult>")
        return s3_error(403, "AccessDenied", "no") if request.method == "DELETE" else None

    with s3_proxy(s3_credentials, read_only) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        with pytest.raises(StorageRefusedError, match="access denied"):
            store.delete(["s3://bucket/kept"])


@pytest.mark.parametrize("spoilt", ["{}\n", " {}", "{}\u00e9", "{}\r"])
@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_key_that_no_request_can_hold_is_refused_without_a_word_of_it(
    s3_credentials: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    spoilt: str,
) -> None:
    monkeypatch.setenv(name, spoilt.format(os.environ.get(name, "token")))
    storage = Storage(endpoint=s3_credentials.endpoint, credentials_secret="keys-of-the-team")
    with pytest.raises(StorageRefusedError, match=f"{name} in Secret keys-of-the-team contains") as refused:
        artifacts.open_store("s3://bucket", storage).exists("s3://bucket/object")
    told = str(refused.value) + caplog.text
    assert not any(secret in told for secret in (s3_credentials.access_key, s3_credentials.secret_key))


def test_credentials_are_named_by_their_secret(
    s3_credentials: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    storage = Storage(endpoint=s3_credentials.endpoint, credentials_secret="keys-of-the-team")
    with pytest.raises(StorageRefusedError, match="AWS_SECRET_ACCESS_KEY in Secret keys-of-the-team"):
        artifacts.open_store("s3://bucket", storage).files("s3://bucket/")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "<!doctype html><title>Welcome</title>", "text/html"),
        Answer(404, "<html>Not Found</html>", "text/html"),
        Answer(302, "<html>Log in</html>", "text/html"),
        Answer(405, "", "text/plain"),
        Answer(400, "Client sent an HTTP request to an HTTPS server.", "text/plain"),
        Answer(404, '{"message": "no such route"}', "application/json"),
        Answer(200, '{"status": "ok"}', "application/json"),
        Answer(200, "", "text/plain"),
        Answer(200, "<feed/>"),
    ],
    ids=lambda answer: f"{answer.status} {answer.content_type} {answer.body[:6]}",
)
def test_a_server_that_is_no_object_store_is_told_to_be_none(
    s3_credentials: S3Server, answer: Answer
) -> None:
    with s3_proxy(s3_credentials, lambda request: answer) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        for ask in (store.exists, store.files):
            with pytest.raises(
                StorageRefusedError, match=f"^{endpoint} is not an S3 server: .*, status {answer.status}"
            ):
                ask("s3://bucket/folder/")


def test_a_proxy_that_is_busy_may_have_an_object_store_behind_it(s3_credentials: S3Server) -> None:
    busy = Answer(408, "<html>too slow</html>", "text/html")
    with s3_proxy(s3_credentials, lambda request: busy) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        with pytest.raises(StorageUnavailableError):
            store.exists("s3://bucket/object")


def ignores_conditions(request: Request) -> Replacing | None:
    return Replacing() if "If-None-Match" in request.headers else None


def has_no_conditions(request: Request) -> Answer | None:
    return s3_error(501, "NotImplemented", "?") if "If-None-Match" in request.headers else None


@pytest.mark.parametrize("refuse", [ignores_conditions, has_no_conditions])
def test_a_server_without_conditional_writes_is_known_for_it_and_used(
    s3_credentials: S3Server, refuse: Refuse
) -> None:
    uri = f"s3://bucket/{refuse.__name__}"
    with s3_proxy(s3_credentials, refuse) as endpoint:
        store = artifacts.open_store(uri, Storage(endpoint=endpoint))
        turn = artifacts.Turn(store, uri)
        assert not turn.take()
        turn.require()


def test_the_later_of_two_writes_in_place_of_the_earlier(place: Place) -> None:
    store, uri = place
    patient = artifacts.PatientStore(store, patience=60)
    earlier, later = (artifacts.Turn(patient, f"{uri}/attempt") for _ in range(2))
    assert earlier.take()
    earlier.require()
    assert later.take()
    later.require()
    with pytest.raises(AlreadyWrittenError, match="another pod of this run has started since"):
        earlier.require()


def test_what_a_server_can_not_do_is_not_tried_again(s3_credentials: S3Server) -> None:
    with s3_proxy(s3_credentials, lambda request: s3_error(501, "NotImplemented", "no PUT")) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        with pytest.raises(StorageRefusedError, match="no PUT"):
            store.write("s3://bucket/conditional", b"", only_new=True)


class LosesAnswers:
    """A store whose answer to the first request is lost, after it did what was asked."""

    def __init__(self, store: artifacts.Store) -> None:
        self._store, self._lost = store, False

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*arguments: object, **options: object) -> object:
            answer = getattr(self._store, name)(*arguments, **options)
            if not self._lost:
                self._lost = True
                raise StorageUnavailableError("the connection broke")
            return answer

        return ask


def test_what_was_written_before_its_answer_was_lost_is_not_taken_for_anothers(place: Place) -> None:
    store, uri = place
    patient = artifacts.PatientStore(cast("artifacts.Store", LosesAnswers(store)), patience=60)
    patient.write(f"{uri}/COMMITTED", b"1", only_new=True)
    assert store.read(f"{uri}/COMMITTED") == b"1"
    with pytest.raises(AlreadyWrittenError):
        patient.write(f"{uri}/COMMITTED", b"2", only_new=True)


def test_a_key_that_the_server_repeats_is_left_out(s3_credentials: S3Server) -> None:
    unknown = s3_error(403, "Forbidden", f"No such key: {s3_credentials.access_key}")
    with s3_proxy(s3_credentials, lambda request: unknown) as endpoint:
        store = artifacts.open_store("s3://bucket", Storage(endpoint=endpoint))
        with pytest.raises(StorageRefusedError, match=r"No such key: \(access key\)") as refused:
            store.read("s3://bucket/object")
    assert s3_credentials.access_key not in str(refused.value)


def test_a_path_that_no_file_can_have_is_refused() -> None:
    store = artifacts.open_store("file:///", Storage())
    with pytest.raises(StorageRefusedError, match="correct the URI"):
        store.read("file:///a%00b.csv")
