"""An S3 server over a plain folder."""

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from localcluster import binaries
from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.process import Command, accepts
from localcluster.servers import Servers

REGION = "us-east-1"


@dataclass(frozen=True)
class S3Credentials:
    """What a client signs its requests with."""

    access_key: str = field(default_factory=lambda: f"local{secrets.token_hex(4)}")
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


def s3_server(data: Path, host: str, port: int, credentials: S3Credentials) -> Command:
    """How the server is started; `host` is where it listens."""
    arguments = (str(binaries.path("versitygw")), "--port", f"{host}:{port}", "--quiet", "posix", str(data))
    # By the environment, since arguments can be read by every user.
    environment = {
        "ROOT_ACCESS_KEY": credentials.access_key,
        "ROOT_SECRET_KEY": credentials.secret_key,
        "VGW_REGION": REGION,
    }
    return Command("versitygw", arguments, lambda: accepts(LOOPBACK, port), environment)


class S3Server(Servers):
    """An S3 server on loopback; use it as a context manager.

    `data` keeps the buckets, one folder each; without it they are gone at the end. Its process ends when the
    thread that entered it ends.
    """

    endpoint: str

    def __init__(self, data: Path | None = None) -> None:
        super().__init__()
        self._data = data
        self._credentials = S3Credentials()
        self.access_key = self._credentials.access_key
        self.secret_key = self._credentials.secret_key
        self.region = REGION

    def _programs(self) -> tuple[str, ...]:
        return ("versitygw",)

    def _start(self, stack: ExitStack, folder: Path) -> None:
        data = self._data or folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.endpoint = f"http://{LOOPBACK}:{port}"
        run(stack, s3_server(data, LOOPBACK, port, self._credentials), folder)
