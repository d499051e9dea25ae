"""Reports reach the operator, and never hold up training."""

import json
import logging
import queue
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import ProgressEndpoint
from trainingrun_trainer.progress import ProgressSender


class Operator(ThreadingHTTPServer):
    """An HTTPS server that keeps what is posted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.certificate = write_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.posts: queue.Queue[tuple[str, str, dict[str, object]]] = queue.Queue()
        self.status = 204


class Handler(BaseHTTPRequestHandler):
    server: Operator

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.put((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def write_certificate(folder: Path) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return (folder / "tls.crt").read_text()


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with Operator(tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    return tmp_path / "token"


def endpoint(operator: Operator, token: Path) -> ProgressEndpoint:
    url = f"https://127.0.0.1:{operator.server_port}"
    return ProgressEndpoint(url=url, ca_certificate=operator.certificate, token_path=str(token))


def report(epoch: int, step: int = 0) -> ProgressReport:
    return ProgressReport.model_validate(
        {
            "run": {"namespace": "team", "name": "tickets", "uid": "1"},
            "progress": {
                "stage": "Training",
                "epoch": epoch,
                "step": step,
                "maxEpochs": 3,
                "lastUpdateTime": "2026-01-01T00:00:00Z",
            },
        }
    )


def test_each_epoch_is_reported_with_the_token_of_that_moment(operator: Operator, token: Path) -> None:
    sender = ProgressSender(endpoint(operator, token))
    sender.send(report(1))
    path, authorization, body = operator.posts.get(timeout=10)
    assert (path, authorization) == ("/v1/progress", "Bearer first")
    assert ProgressReport.model_validate(body) == report(1)
    token.write_text("second")
    sender.send(report(2))
    assert operator.posts.get(timeout=10)[1] == "Bearer second"
    sender.close()


def test_only_the_newest_step_is_sent_and_the_last_one_at_the_end(operator: Operator, token: Path) -> None:
    sender = ProgressSender(endpoint(operator, token))
    sender.send(report(1))
    operator.posts.get(timeout=10)
    for step in range(1, 100):
        sender.send(report(1, step))
    sender.close()
    assert operator.posts.get(timeout=10)[2] == report(1, 99).model_dump(mode="json")
    assert operator.posts.empty()


def test_a_refusal_is_logged_once_and_stops_nothing(
    operator: Operator, token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    operator.status = 403
    sender = ProgressSender(endpoint(operator, token))
    with caplog.at_level(logging.WARNING):
        for epoch in (1, 2):
            sender.send(report(epoch))
            operator.posts.get(timeout=10)
        sender.close()
    assert [record.getMessage() for record in caplog.records] == [
        "Progress could not be reported; training continues: HTTP 403: "
    ]


def test_an_operator_that_is_away_stops_nothing(
    operator: Operator, token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = endpoint(operator, token).model_copy(update={"url": "https://127.0.0.1:9"})
    sender = ProgressSender(away)
    sender.send(report(1))
    sender.close()
    assert "ConnectError" in caplog.text
