"""What a trainer reports, and what it leaves at its end."""

import json
from datetime import UTC, datetime
from typing import Any

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_operator.resources import Manifest

EPOCHS = 10
SCORES = {
    "accuracy": 0.9123,
    "f1": 0.8765,
    "microF1": 0.9123,
    "weightedF1": 0.9001,
    "precision": 0.91,
    "recall": 0.89,
}
OF_AN_EPOCH = {"accuracy": 0.9123, "f1": 0.8765}
PREFIX = "s3://models/team/brisk-heron-3f9a"
RESULT = json.dumps(
    {
        "bestEpoch": 8,
        "epochs": EPOCHS,
        "stoppedEarly": False,
        "evaluation": SCORES | {"loss": 0.31, "support": 120, "labels": 12, "evaluatedLabels": 12},
        "artifacts": ArtifactPaths(PREFIX).artifacts().model_dump(mode="json"),
        "baseModel": {"source": "Default", "digest": "abc"},
    }
)
"""The termination message after success."""


def a_report(run: Manifest, epoch: int) -> Manifest:
    """The report of an epoch's end; the last one says that all is done."""
    last = epoch == EPOCHS
    progress: dict[str, Any] = {
        "stage": "Done" if last else "Training",
        "epoch": epoch,
        "maxEpochs": EPOCHS,
        "percent": 100 * epoch // EPOCHS,
        "step": 50 * epoch,
        "totalSteps": 50 * EPOCHS,
        "trainingLoss": 0.5123,
        "evaluationLoss": 0.6234,
        "learningRate": 2e-5,
        "samplesPerSecond": 80.5,
        "remainingSeconds": 60 * (EPOCHS - epoch),
        "stageSeconds": {"LoadingData": 7, "LoadingModel": 3, "Training": 60 * epoch},
        "lastUpdateTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return {"run": run, "progress": progress, "epochs": [_epoch(number) for number in range(epoch + 1)]}


def _epoch(number: int) -> Manifest:
    losses = {"trainingLoss": 0.512345, "evaluationLoss": 0.612345, "learningRate": 2e-5}
    return {"epoch": number, **losses, **OF_AN_EPOCH}
