"""A pod with an identity of its own instead of keys: its token for keys that expire, and new ones in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import S3Server
from localcluster.control_plane import LOOPBACK, free_port
from trainingrun_api.run_config import Storage
from trainingrun_trainer.artifacts import Store, open_store
from trainingrun_trainer.errors import StorageRefusedError, StorageUnavailableError

from .s3_proxy import Answer, Known, Request, s3_error, s3_proxy
from .sts_server import SESSION, TokenService, token_service

ROLE = "arn:aws:iam::123456789012:role/trainer"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenService]:
    """With a token mounted, and variables, as the webhook of a cluster sets them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "token").write_text("first token")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    with token_service(TokenService(ROLE, {"first token", "second token"})) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", service.url)
        yield service


@pytest.fixture
def store(s3: S3Server) -> Iterator[Store]:
    """One that knows the keys of the role, and no others."""

    def of_the_role(request: Request) -> Known | Answer:
        if request.headers["X-Amz-Security-Token"] == SESSION:
            return Known()
        return s3_error(403, "InvalidAccessKeyId", "who is that?")

    with s3_proxy(s3, of_the_role) as endpoint:
        yield open_store("s3://bucket", Storage(endpoint=endpoint))


def test_a_pod_reads_and_writes_with_its_own_identity(service: TokenService, store: Store) -> None:
    store.write("s3://bucket/identity", b"1")
    assert store.read("s3://bucket/identity") == b"1"
    assert service.asked == ["first token"]


def test_keys_that_expire_are_replaced_with_the_token_as_it_is_then(
    service: TokenService, store: Store, tmp_path: Path
) -> None:
    service.seconds = 60  # botocore asks anew ten minutes before they expire
    store.write("s3://bucket/identity", b"1")
    (tmp_path / "token").write_text("second token")
    assert store.read("s3://bucket/identity") == b"1"
    assert service.asked[0] == "first token"
    assert service.asked[-1] == "second token"


def test_an_identity_that_may_not_is_refused_with_what_to_change(
    service: TokenService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/other")
    with pytest.raises(StorageRefusedError, match=r"own identity is .*AccessDenied\); let the role"):
        store.exists("s3://bucket/identity")


def test_a_token_is_never_repeated(service: TokenService, store: Store, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("planted-token")
    with pytest.raises(StorageRefusedError, match="InvalidIdentityToken") as refused:
        store.exists("s3://bucket/identity")
    assert service.asked == ["planted-token"]
    assert "planted" not in str(refused.value)


def test_a_token_that_is_not_mounted_is_told(service: TokenService, store: Store, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(
        StorageRefusedError, match=r"there is no token in .*, which AWS_WEB_IDENTITY_TOKEN_FILE"
    ):
        store.exists("s3://bucket/identity")


def test_a_token_service_that_is_away_may_come_back(
    service: TokenService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://{LOOPBACK}:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageUnavailableError):
        store.exists("s3://bucket/identity")
