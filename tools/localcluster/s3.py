"""An S3 server over a plain folder."""

import secrets
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from localcluster import binaries
from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.process import Command, accepts

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


class S3Server:
    """An S3 server on loopback; use it as a context manager.

    `data` keeps the buckets, one folder each; without it they are gone at the end. Its process ends when the
    thread that entered it ends.
    """

    endpoint: str

    def __init__(self, data: Path | None = None) -> None:
        self._data = data
        self._credentials = S3Credentials()
        self._stack = ExitStack()
        self.access_key = self._credentials.access_key
        self.secret_key = self._credentials.secret_key
        self.region = REGION

    def __enter__(self) -> Self:
        binaries.ensure(("versitygw",))
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        folder = Path(tempfile.mkdtemp(prefix="s3-server-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data = self._data or folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.endpoint = f"http://{LOOPBACK}:{port}"
        run(stack, s3_server(data, LOOPBACK, port, self._credentials), folder)
