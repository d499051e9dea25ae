"""A proxy before a real S3 server, which refuses some requests as other servers do, or breaks them."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcluster import S3Server
from trainingrun_api.run_config import Storage
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.credentials import StorageKeys


class Answer(NamedTuple):
    """What the proxy says in the server's place."""

    status: int
    body: str
    content_type: str = "application/xml"


class Broken(NamedTuple):
    """The connection breaks after these shares of what the client sends and of what the server answers.

    The server gets the request only if all of it arrived.
    """

    sent: float = 1
    answered: float = 0


class Late(NamedTuple):
    """The server gets the request after so many seconds."""

    seconds: float


class Replacing(NamedTuple):
    """What is there is deleted before: so a condition on it has no effect, as at a server that knows none."""


class Known(NamedTuple):
    """The server gets the request with its own keys, as one that knows those of the client too."""


class Request(NamedTuple):
    """What a client asked for."""

    method: str
    path: str
    headers: Message


Refuse = Callable[[Request], Answer | Broken | Late | Replacing | Known | None]


def s3_error(status: int, code: str, message: str) -> Answer:
    """A refusal as S3 servers write it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


@contextmanager
def s3_proxy(server: S3Server, refuse: Refuse) -> Iterator[str]:
    """URL of a proxy that passes on what `refuse` has no answer for."""
    handler = type("Handler", (_Handler,), {"upstream": server, "refuse": refuse})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # else clients wait a second for leave to send what they put
    upstream: S3Server
    refuse: Refuse

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # a client that was killed
            self.close_connection = True

    def _serve(self) -> None:
        decision = type(self).refuse(Request(self.command, self.path, self.headers))
        length = int(self.headers.get("Content-Length", 0))
        if isinstance(decision, Broken) and decision.sent < 1:
            self.rfile.read(int(length * decision.sent))
            self.close_connection = True
            return
        body = self.rfile.read(length)
        match decision:
            case Answer(status, text, content_type):
                self._answer(status, [("Content-Type", content_type)], text.encode())
            case Broken(answered=share):
                self._pass_on(body, share)
            case Late(seconds):
                time.sleep(seconds)
                self._pass_on(body)
            case Replacing():
                self._delete()
                self._pass_on(body)
            case Known():
                self._sign(body)
                self._pass_on(body)
            case None:
                self._pass_on(body)

    def _delete(self) -> None:
        # With keys of its own, since what the client has signed is not this.
        keys = StorageKeys(self.upstream.access_key, self.upstream.secret_key)
        uri = f"s3:/{unquote(urlsplit(self.path).path)}"
        open_store(uri, Storage(endpoint=self.upstream.endpoint), keys).delete([uri])

    def _sign(self, body: bytes) -> None:
        for header in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            del self.headers[header]
        url = f"{self.upstream.endpoint}{self.path}"
        request = AWSRequest(self.command, url, dict(self.headers), body)
        keys = Credentials(self.upstream.access_key, self.upstream.secret_key)
        S3SigV4Auth(keys, "s3", self.upstream.region).add_auth(request)
        for header, value in request.headers.items():
            del self.headers[header]
            self.headers[header] = value

    def _pass_on(self, body: bytes, share: float = 1) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.upstream.endpoint).netloc)
        # With the host name as it is: that is part of what the client signed.
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        self._answer(response.status, response.getheaders(), response.read(), share)
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, share: float = 1) -> None:
        if share == 0:
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers:
            if self.command == "HEAD" or name.lower() not in {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: int(len(body) * share)])
        self.close_connection = self.close_connection or share < 1
