"""What keeps house beside training may fail altogether: the run ends as if it had not."""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from promises import Promise

from localcluster.control_plane import LOOPBACK, free_port
from trainingrun_api.names import ExitCode
from trainingrun_api.run_config import MlflowExperiment, ProgressEndpoint
from trainingrun_operator.certificate import renewed

from ..artifacts.s3_proxy import Answer, Request, s3_error, s3_proxy
from ..conftest import changed
from .attempts import Attempt
from .conftest import World
from .outcome import outcome
from .test_storage import is_write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

NOW = datetime.datetime.now(datetime.UTC)

DENIED = s3_error(403, "AccessDenied", "Access Denied")


class Unhelpful:
    """Refuses all that a run can do without: to delete, curves for TensorBoard, results before the end."""

    def __init__(self) -> None:
        self._published = False
        self.denied: set[str] = set()

    def __call__(self, request: Request) -> Answer | None:
        self._published = self._published or request.path.endswith("/model/COMMITTED")
        kind = self._kind(request)
        if kind is not None:
            self.denied.add(kind)
            return DENIED
        return None

    def _kind(self, request: Request) -> str | None:
        if request.method == "DELETE" or request.path.endswith("?delete"):
            return "delete"
        if is_write(request) and "/tensorboard/" in request.path:
            return "tensorboard"
        if is_write(request) and request.path.endswith(("/evaluation.json", "/report.html")):
            return None if self._published or request.path.endswith(".html") else "interim"
        return None


ANSWERS = {
    "500": (500, "application/json", b'{"error_code": "INTERNAL_ERROR"}'),
    "401": (401, "text/html", b"<h1>Log in</h1>"),
    "no JSON": (200, "text/html", b"<h1>Welcome</h1>"),
    "no object": (200, "application/json", b"[1, 2]"),
}


@contextmanager
def unhelpful_server(answer: str) -> Iterator[str]:
    """URL of a server that says the same to whatever it is asked."""
    status, kind, body = ANSWERS[answer]

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - the library's names

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "answer", [one if one == "500" else pytest.param(one, marks=pytest.mark.faults) for one in ANSWERS]
)
def test_a_run_ends_well_where_nothing_that_it_can_do_without_works(
    world: World, keys: dict[str, str], answer: str, tmp_path: Path, promise: Promise
) -> None:
    unhelpful = Unhelpful()
    (tmp_path / "token").write_text("a token")
    authority = renewed(None, LOOPBACK, NOW).authority.certificate
    nobody = ProgressEndpoint(
        url=f"https://{LOOPBACK}:{free_port()}", ca_certificate=authority, token_path=str(tmp_path / "token")
    )
    with s3_proxy(world.server, unhelpful) as endpoint, unhelpful_server(answer) as tracking_uri:
        config = changed(
            world.run_at(f"unhelped-{answer.replace(' ', '-')}", endpoint, patience=1),
            mlflow=MlflowExperiment(tracking_uri=tracking_uri, experiment="tickets"),
            progress=nobody,
        )
        attempt = Attempt(config, tmp_path / "pod", keys)
        assert attempt.end() == ExitCode.OK, attempt.log
    assert unhelpful.denied == {"delete", "tensorboard", "interim"}
    assert outcome(config, world.storage) == world.outcome
    for said in (
        "deleting them failed",
        "The curves for TensorBoard could not be written",
        "Interim results could not be written",
        "MLflow could not be updated, training continues",
        "Progress could not be reported; training continues",
    ):
        assert said in attempt.log, said
    assert "Traceback" not in attempt.log
    promise(
        "Trainer",
        "A run ends well where pruning, trackers, interim results and progress all fail",
        f"MLflow answering {answer}",
    )
