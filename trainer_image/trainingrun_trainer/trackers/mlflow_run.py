"""One run on an MLflow server, brought up to what is known here."""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from mlflow import MlflowClient, MlflowException
from mlflow.entities import Metric, Param

from trainingrun_api.evaluation import Curves, Evaluation
from trainingrun_api.run_config import MlflowExperiment

from ..errors import ObjectMissingError, StorageRefusedError, StorageUnavailableError
from .mlflow import State, Subject
from .mlflow_auth import use_mounted_credentials
from .tracker import Ending, Measurement, Place, end_of, measurements

log = logging.getLogger(__name__)

UID_TAG = "trainingrun.uid"
"""What the run is known by: a restarted attempt goes on in the one with the same."""

STATUS = {Ending.FINISHED: "FINISHED", Ending.FAILED: "FAILED", Ending.INTERRUPTED: "KILLED"}

BATCH = 100
"""Parameters, or places of curves, in a request: it may hold 100 parameters, or 1,000 metrics, of which a
place has less than ten."""

MAX_NAME, MAX_VALUE = 250, 500
"""Characters of a parameter that servers of all versions take; with a longer one they refuse all."""

OF_STEPS, OF_EPOCHS = "step/training_loss", "epoch/evaluation_loss"
"""The metrics that tell how far the curves on the server go."""

Item = TypeVar("Item")


class MlflowRun:
    """Knows how far the server is, and asks it anew after something failed."""

    def __init__(self, server: MlflowExperiment, subject: Subject) -> None:
        use_mounted_credentials()
        self._client = MlflowClient(tracking_uri=server.tracking_uri)
        self._experiment, self._subject = server.experiment, subject
        self._id: str | None = None
        self._place = Place()
        self._parameters: set[str] = set()
        self._known_failures: set[str] = set()

    def send(self, state: State) -> None:
        """Send what the server lacks. A failure is logged, once for each kind; the next makes up for it."""
        try:
            self._send(self._id or self._attach(), state)
        except (MlflowException, OSError) as error:
            self._id = None
            self._warn(error)

    def _send(self, run: str, state: State) -> None:
        self._send_parameters(run, state)
        if state.snapshot:
            self._send_curves(run, state.snapshot.curves)
        if state.evaluation:
            self._send_curves(run, state.evaluation.curves)
            self._send_scores(run, state.evaluation)
            self._send_files(run)
        if state.ending:
            self._client.set_terminated(run, STATUS[state.ending])

    def _attach(self) -> str:
        """Find the run of an earlier attempt, or make one."""
        experiment = self._client.get_experiment_by_name(self._experiment)
        place = experiment.experiment_id if experiment else self._client.create_experiment(self._experiment)
        uid = self._subject.run.uid
        found = self._client.search_runs([place], f"tags.`{UID_TAG}` = '{uid}'", max_results=1)
        run = found[0] if found else self._create(place)
        if found:
            self._client.update_run(run.info.run_id, status="RUNNING")
        self._parameters = set(run.data.params)
        self._place = Place(
            self._last(run, OF_STEPS, Place().step), self._last(run, OF_EPOCHS, Place().epoch)
        )
        self._id = str(run.info.run_id)
        return self._id

    def _create(self, experiment: str) -> Any:
        subject = self._subject
        about = {
            "namespace": subject.run.namespace,
            "name": subject.run.name,
            "modelName": subject.model_name,
            **subject.artifacts.model_dump(exclude_none=True),
        }
        tags = {UID_TAG: subject.run.uid, **{f"trainingrun.{name}": value for name, value in about.items()}}
        return self._client.create_run(experiment, tags=tags, run_name=subject.run.name)

    def _last(self, run: Any, metric: str, none: int) -> int:
        """The last step that a metric has."""
        if metric not in run.data.metrics:
            return none
        return max(int(one.step) for one in self._client.get_metric_history(run.info.run_id, metric))

    def _send_parameters(self, run: str, state: State) -> None:
        recipe = state.snapshot.recipe.model_dump(exclude_none=True) if state.snapshot else {}
        all_of_them = self._subject.parameters | {
            f"recipe.{name}": str(value) for name, value in recipe.items()
        }
        named = {_parameter_name(name): value for name, value in all_of_them.items()}
        new = {name: value for name, value in named.items() if name not in self._parameters}
        for some in _batches(Param(name, value[:MAX_VALUE]) for name, value in new.items()):
            self._client.log_batch(run, params=some)
        self._parameters |= new.keys()

    def _send_curves(self, run: str, curves: Curves) -> None:
        for some in _batches(measurements(curves, after=self._place)):
            self._client.log_batch(run, metrics=[metric for one in some for metric in _metrics(one)])
        self._place = end_of(curves)

    def _send_scores(self, run: str, evaluation: Evaluation) -> None:
        scores = evaluation.headline.model_dump(exclude_none=True)
        measured = {f"published/{name}": float(score) for name, score in scores.items()}
        self._client.log_batch(run, metrics=_metrics(Measurement(evaluation.best_epoch, measured)))

    def _send_files(self, run: str) -> None:
        """What a person looks at; the model stays where it is, which a tag says."""
        artifacts, store = self._subject.artifacts, self._subject.store
        try:
            for uri in filter(None, (artifacts.report, artifacts.evaluation)):
                self._client.log_text(run, store.read(uri).decode(), uri.rsplit("/", 1)[-1])
        except (
            MlflowException,
            OSError,
            ObjectMissingError,
            StorageRefusedError,
            StorageUnavailableError,
        ) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind not in self._known_failures:
            self._known_failures.add(kind)
            log.warning("MLflow could not be updated, training continues: %s", str(error)[:300])


def _metrics(measured: Measurement) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, measured.step) for name, value in measured.values.items()]


def _parameter_name(path: str) -> str:
    """With what MLflow takes in a name: [0] and labels as people write them have more."""
    return re.sub(r"[^\w. -]", "_", path)[:MAX_NAME]


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    return iter(lambda: list(islice(remaining, BATCH)), [])
