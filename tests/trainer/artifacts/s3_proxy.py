"""A proxy before a real S3 server, which refuses some requests as other servers do."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

from localcluster import S3Server


class Answer(NamedTuple):
    """What the proxy says in the server's place."""

    status: int
    body: str
    content_type: str = "application/xml"


class Request(NamedTuple):
    """What a client asked for."""

    method: str
    path: str
    headers: Message


Refuse = Callable[[Request], Answer | None]


def s3_error(status: int, code: str, message: str) -> Answer:
    """A refusal as S3 servers write it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


@contextmanager
def s3_proxy(server: S3Server, refuse: Refuse) -> Iterator[str]:
    """URL of a proxy that passes on what `refuse` has no answer for."""
    handler = type("Handler", (_Handler,), {"upstream": urlsplit(server.endpoint).netloc, "refuse": refuse})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()


class _Handler(BaseHTTPRequestHandler):
    upstream: str
    refuse: Refuse

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = type(self).refuse(Request(self.command, self.path, self.headers))
        if answer is None:
            self._pass_on(body)
        else:
            self._answer(answer.status, [("Content-Type", answer.content_type)], answer.body.encode())

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.upstream)
        # With the host name as it is: that is part of what the client signed.
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        self._answer(response.status, response.getheaders(), response.read())
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if self.command == "HEAD" or name.lower() not in {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
