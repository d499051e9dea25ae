"""Manifests as a user writes them, and what a trainer leaves and reports."""

import json
from typing import Any

from trainingrun_api.names import API_VERSION

Manifest = dict[str, Any]


def a_run(name: str, **spec: Any) -> Manifest:
    """A run on files in an object store, unless `spec` says otherwise."""
    defaults: Manifest = (
        {}
        if "dataset" in spec
        else {
            "dataset": {"uri": "s3://data/tickets.jsonl"},
            "output": {"uri": "s3://models/team"},
        }
    )
    return _manifest("TrainingRun", name, defaults | spec)


def a_project_run(name: str, project: str, **spec: Any) -> Manifest:
    return a_run(name, dataset={"project": project}, **spec)


def a_project(name: str, **spec: Any) -> Manifest:
    defaults = {"dataset": {"uri": "s3://data/project.csv"}, "output": {"uri": "s3://models/project"}}
    return _manifest("TrainingProject", name, defaults | spec)


def a_quota(name: str, **hard: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard}}


def a_foreign_job(name: str) -> Manifest:
    container = {"name": "main", "image": "example.com/other"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template},
    }


def a_result(prefix: str = "s3://models/team/x") -> str:
    """The termination message of a trainer that has succeeded."""
    scores = {"accuracy": 0.912, "f1": 0.9, "precision": 0.91, "recall": 0.89, "weightedF1": 0.91}
    return json.dumps(
        {
            "bestEpoch": 3,
            "epochs": 4,
            "stoppedEarly": True,
            "evaluation": scores | {"loss": 0.31, "support": 120},
            "artifacts": {
                "model": f"{prefix}/model",
                "evaluation": f"{prefix}/evaluation.json",
                "report": f"{prefix}/report.html",
                "checkpoints": f"{prefix}/checkpoints",
                "run": f"{prefix}/run.json",
            },
            "baseModel": {"source": "Default", "digest": "abc"},
        }
    )


def a_failure(reason: str, message: str) -> str:
    """The termination message of a trainer that has failed."""
    return json.dumps({"reason": reason, "message": message})


def a_report(
    run: Manifest,
    epoch: int = 2,
    time: str = "2099-01-01T00:00:00Z",
    stage: str = "Training",
    notice: Manifest | None = None,
) -> Manifest:
    """A progress report."""
    identity = {name: run["metadata"][name] for name in ("namespace", "name", "uid")}
    progress = {
        "stage": stage,
        "epoch": epoch,
        "maxEpochs": 10,
        "percent": epoch * 10,
        "trainingLoss": 0.5,
        "evaluationLoss": 0.6,
        "samplesPerSecond": 80.5,
        "lastUpdateTime": time,
        **({"notice": notice} if notice else {}),
    }
    epochs = [
        {
            "epoch": number,
            "trainingLoss": 1 / number,
            "evaluationLoss": 1.1 / number,
            "accuracy": 0.8,
            "f1": 0.75,
            "learningRate": 1e-4,
        }
        for number in range(1, epoch + 1)
    ]
    return {"run": identity, "progress": progress, "epochs": epochs}


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
