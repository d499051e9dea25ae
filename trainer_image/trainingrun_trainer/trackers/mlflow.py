"""MLflow, told from a thread of its own: a server that is slow or down costs training nothing."""

import logging
import os
import threading
from dataclasses import dataclass, replace
from importlib.util import find_spec
from queue import SimpleQueue

from trainingrun_api.artifacts import Artifacts
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import MLFLOW_FOLDER, MLFLOW_TOKEN_KEY
from trainingrun_api.progress import RunIdentity
from trainingrun_api.run_config import MlflowExperiment

from ..artifacts import Store
from ..credentials import find_key, require_sendable
from ..errors import SettingsError
from ..settings import secret_folder
from .tracker import INSTALL, Ending, Snapshot

log = logging.getLogger(__name__)

END_SECONDS = 10.0
"""How long the end of an attempt waits for the server to take what is left."""

VARIABLES = {
    # As it is, one request may take minutes. What fails is sent again after the next epoch, so there is
    # little to gain from trying long.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""What MLflow's client is told by its environment, where that says nothing of it; times in seconds."""

AUTHENTICATION = "trainingrun"
"""What MLflow's client knows the mounted Secret by."""

TOKEN_PLACE = f"{MLFLOW_TOKEN_KEY}, on a cluster of the Secret of spec.tracking.mlflow.credentialsSecretRef,"
"""What messages call it."""


@dataclass(frozen=True)
class Subject:
    """What is tracked: what of a run is known from its beginning."""

    run: RunIdentity
    model_name: str
    parameters: dict[str, str]
    """Settings, by their paths in the spec."""
    artifacts: Artifacts
    store: Store
    """Where these are."""


@dataclass(frozen=True)
class State:
    """All that the server is to know by now."""

    snapshot: Snapshot | None = None
    ending: Ending | None = None
    evaluation: Evaluation | None = None


class Mlflow:
    """Sends the newest state; one that it replaces is not missed, since each holds all curves."""

    def __init__(self, server: MlflowExperiment, subject: Subject) -> None:
        """Raises SettingsError for a token that no request can hold, and without MLflow's client."""
        if find_spec("mlflow") is None:
            raise SettingsError(
                f"spec.tracking.mlflow needs MLflow's client, which is not installed here: {INSTALL}"
            )
        token = find_key(MLFLOW_FOLDER, MLFLOW_TOKEN_KEY, MLFLOW_TOKEN_KEY)
        require_sendable(token, TOKEN_PLACE, SettingsError)
        mounted = {"MLFLOW_TRACKING_AUTH": AUTHENTICATION} if secret_folder(MLFLOW_FOLDER) else {}
        for name, value in (VARIABLES | mounted).items():
            os.environ.setdefault(name, value)
        self._server, self._subject = server, subject
        self._state = State()
        self._states: SimpleQueue[State] = SimpleQueue()
        self._states.put(self._state)
        self._thread = threading.Thread(target=self._send_all, name="mlflow", daemon=True)
        self._thread.start()

    def update(self, snapshot: Snapshot) -> None:
        """Have the curves sent; returns at once."""
        self._state = replace(self._state, snapshot=snapshot)
        self._states.put(self._state)

    def end(self, ending: Ending, evaluation: Evaluation | None = None) -> None:
        """Have the run ended; waits END_SECONDS at most."""
        self._states.put(replace(self._state, ending=ending, evaluation=evaluation))
        self._thread.join(END_SECONDS)
        if self._thread.is_alive():
            log.warning(
                "MLflow at %s took too long, and lacks the end of this run", self._server.tracking_uri
            )

    def _send_all(self) -> None:
        # Importing MLflow takes seconds, which training needn't wait for.
        from .mlflow_run import MlflowRun  # noqa: PLC0415

        run, state = MlflowRun(self._server, self._subject), State()
        while state.ending is None:
            state = self._states.get()
            while not self._states.empty():
                state = self._states.get()
            run.send(state)
