"""A tracking server of MLflow on loopback, over a database in a folder of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2

from localcluster.control_plane import LOOPBACK, free_port, run
from localcluster.process import READY_SECONDS, Command

ARTIFACTS = "mlflow-artifacts:/"


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Its URL, while the server runs.

    The program that `mlflow server` starts, without `mlflow server`: that would be two processes to end.
    """
    port = free_port()
    arguments = ("-m", "uvicorn", "--host", LOOPBACK, "--port", str(port), "mlflow.server.fastapi_app:app")
    environment = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder / 'mlflow.db'}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": ARTIFACTS,
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "*",  # a proxy is asked for it by another name
        "HOME": os.environ["HOME"],
    }
    url = f"http://{LOOPBACK}:{port}"
    with ExitStack() as stack:
        run(
            stack, Command("mlflow", (sys.executable, *arguments), lambda: _answers(url), environment), folder
        )
        yield url


def _answers(url: str) -> bool:
    """Whether it does, and so has made its database, which takes longer than its clients wait."""
    with suppress(httpx2.ConnectError):
        asked = f"{url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"
        return httpx2.get(asked, timeout=READY_SECONDS).is_success
    return False
