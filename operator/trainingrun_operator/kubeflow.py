"""Progress as Kubeflow Trainer has it reported: transformers' Trainer does so by itself.

Its KubeflowCallback posts to the URL in an environment variable, with the pod's token.
"""

import math
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trainingrun_api.names import GROUP, KUBEFLOW_PATH
from trainingrun_api.progress import ProgressReport, RunIdentity, bounded_epochs
from trainingrun_api.status import (
    MAX_METRIC_NAME,
    MAX_METRICS,
    EpochSummary,
    Progress,
    Stage,
    TrainingRunStatus,
)

from .resources import Manifest, format_time

CERTIFICATE_ANNOTATION = f"{GROUP}/progress-ca"
CERTIFICATE_FILE = "ca.crt"

FIELDS = {
    "loss",
    "eval_loss",
    "learning_rate",
    "train_samples_per_second",
    "epoch",
    "current_epoch",
    "current_step",
    "total_steps",
}
"""Metrics that progress has a field for."""

NEAR = 0.05
"""How far from a whole number of epochs an evaluation may be to be that of the epoch."""


class _Received(BaseModel):
    """As it is posted; fields that are unknown here may come with later versions."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Metric(_Received):
    name: str
    value: str


class _TrainerStatus(_Received):
    progress_percentage: Annotated[int, Field(ge=0, le=100)] = 0
    estimated_remaining_seconds: Annotated[int, Field(ge=0)] | None = None
    metrics: Annotated[list[_Metric], Field(max_length=256)] = []

    def numbers(self) -> dict[str, float]:
        """Finite metrics by name, the longest names left out."""
        found = {one.name: _number(one.value) for one in self.metrics if len(one.name) <= MAX_METRIC_NAME}
        return {name: value for name, value in found.items() if value is not None}


class Payload(_Received):
    """What is posted."""

    trainer_status: _TrainerStatus


def variables(report_url: str, folder: str, token_path: str) -> list[Manifest]:
    """Environment of a container whose trainer is to report; `folder` has the certificate."""
    values = {
        "KUBEFLOW_TRAINER_SERVER_URL": report_url + KUBEFLOW_PATH,
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": f"{folder}/{CERTIFICATE_FILE}",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": token_path,
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def certificate_source() -> Manifest:
    """Source of a projected volume with the certificate, which stands in an annotation of the pod."""
    annotation = {"fieldPath": f"metadata.annotations['{CERTIFICATE_ANNOTATION}']"}
    return {"downwardAPI": {"items": [{"path": CERTIFICATE_FILE, "fieldRef": annotation}]}}


def report_of(payload: Payload, run: RunIdentity, status: TrainingRunStatus) -> ProgressReport:
    """What was posted, as a report of `run` that follows its status."""
    received = payload.trainer_status
    numbers = received.numbers()
    epochs = _with_evaluated(status.epochs, numbers)
    progress = Progress(
        stage=Stage.TRAINING if received.progress_percentage < 100 else Stage.PUBLISHING,
        epoch=_whole(numbers.get("current_epoch", numbers.get("epoch", 0))),
        percent=received.progress_percentage,
        step=_whole(numbers.get("current_step", 0)),
        total_steps=_whole(numbers.get("total_steps", 0)),
        training_loss=numbers.get("loss"),
        evaluation_loss=numbers.get("eval_loss"),
        learning_rate=numbers.get("learning_rate"),
        samples_per_second=numbers.get("train_samples_per_second"),
        remaining_seconds=received.estimated_remaining_seconds,
        metrics=dict(sorted(_others(numbers).items())[:MAX_METRICS]),
        last_update_time=format_time(datetime.now(UTC)),
    )
    return ProgressReport(run=run, progress=progress, epochs=bounded_epochs(epochs, None))


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _whole(number: float) -> int:
    return max(int(number), 0)


def _others(numbers: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if name not in FIELDS}


def _with_evaluated(epochs: list[EpochSummary], numbers: dict[str, float]) -> list[EpochSummary]:
    """With the epoch that ended with the latest evaluation, in place of an earlier attempt's."""
    at, names = numbers.get("epoch", 0.0), ("loss", "eval_loss", "learning_rate")
    epoch = round(at)
    if epoch < 1 or abs(at - epoch) > NEAR or not all(name in numbers for name in names):
        return epochs
    summary = EpochSummary(
        epoch=epoch,
        training_loss=numbers["loss"],
        evaluation_loss=numbers["eval_loss"],
        learning_rate=numbers["learning_rate"],
        accuracy=numbers.get("eval_accuracy"),
        f1=numbers.get("eval_f1"),
    )
    return [*(one for one in epochs if one.epoch < epoch), summary]
