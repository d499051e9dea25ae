"""A server that gives keys in exchange for a pod's token, in the wire format of AWS' Security Token Service.

No S3 server that the tests start speaks it. Requests and answers are those of the service's API reference:
a form of version 2011-06-15, and XML of the same name space.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from localcluster.control_plane import LOOPBACK

VERSION = "2011-06-15"

SESSION = "session-of-the-role"
"""The token that comes with the keys, which requests have to show."""

GIVEN = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/{version}/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{access_key}</AccessKeyId>
<SecretAccessKey>{secret_key}</SecretAccessKey><SessionToken>{token}</SessionToken>
<Expiration>{until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""

REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/{version}/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"""


@dataclass
class TokenService:
    """Knows one role, and the tokens that may assume it."""

    role: str
    tokens: set[str]
    seconds: int = 3600
    """How long the keys that it gives are good."""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The tokens it was shown."""

    def answer(self, form: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        token = form.get("WebIdentityToken", "")
        self.asked.append(token)
        if form.get("Action") != "AssumeRoleWithWebIdentity" or form.get("Version") != VERSION:
            return 400, self._refused("InvalidAction", "no such action")
        if not form.get("RoleSessionName") or form.get("RoleArn") != self.role:
            return 403, self._refused(
                "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
            )
        if token not in self.tokens:
            return 400, self._refused("InvalidIdentityToken", f"The token {token} could not be validated")
        until = datetime.now(UTC) + timedelta(seconds=self.seconds)
        return 200, GIVEN.format(
            version=VERSION,
            access_key="temporary",
            secret_key="temporary-secret",
            token=SESSION,
            until=until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def _refused(self, code: str, message: str) -> str:
        return REFUSED.format(version=VERSION, code=code, message=message)


@contextmanager
def token_service(service: TokenService) -> Iterator[TokenService]:
    """Serves it, and says where."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = service.answer({name: values[0] for name, values in form.items()})
            self.send_response_only(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        service.url = f"http://{LOOPBACK}:{server.server_port}"
        yield service
        server.shutdown()
