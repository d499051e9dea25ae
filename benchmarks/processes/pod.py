"""The trainer's program as a pod runs it, with so many processes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.models import DEFAULT

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import PROCESSES_VARIABLE, RUN_CONFIG_VARIABLE
from trainingrun_trainer.settings import TERMINATION_PATH_VARIABLE

ROOT = Path(__file__).parents[2]

DATA = ROOT / "examples" / "data" / "tickets.jsonl"

THREADS = 1


@dataclass(frozen=True)
class Published:
    """What a run has left behind."""

    speed: float
    """Texts a second while it trained."""
    losses: list[float]
    """Of the points of the training curve."""

    def difference(self, other: "Published") -> float:
        """The largest of a step's loss."""
        return max(abs(one - two) for one, two in zip(self.losses, other.losses, strict=True))


class Pod:
    """The program, running."""

    def __init__(self, folder: Path, processes: int, **training: Any) -> None:
        self.folder = folder
        environment = os.environ | {
            RUN_CONFIG_VARIABLE: json.dumps(config(folder, training)),
            PROCESSES_VARIABLE: str(processes),
            TERMINATION_PATH_VARIABLE: str(folder / "termination"),
            "OMP_NUM_THREADS": str(THREADS),
            "HF_HUB_OFFLINE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainingrun_trainer"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def lines(self) -> Iterator[str]:
        """Those of its log, as they come."""
        assert self.process.stdout is not None
        return iter(self.process.stdout.readline, "")

    def workers(self) -> list[int]:
        """Process ids of those that train."""
        pid = self.process.pid
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def train(folder: Path, processes: int) -> Published:
    """One epoch. Raises RuntimeError when it fails."""
    folder.mkdir()
    pod = Pod(folder, processes, maxEpochs=1)
    log = "".join(pod.lines())
    if pod.process.wait():
        raise RuntimeError(log)
    evaluation = Evaluation.model_validate_json((folder / "out" / "evaluation.json").read_bytes())
    assert evaluation.timing.texts_per_second is not None
    losses = [one.loss for one in evaluation.curves.training_loss]
    return Published(evaluation.timing.texts_per_second, losses)


def config(folder: Path, training: dict[str, Any]) -> dict[str, Any]:
    """A run on the example tickets, from a copy of the default model without dropout."""
    model = folder.parent / "model"
    if not model.exists():
        shutil.copytree(DEFAULT, model)
        settings = json.loads((model / "config.json").read_text())
        still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        (model / "config.json").write_text(json.dumps(settings | still))
    return {
        "run": {"namespace": "benchmark", "name": "processes", "uid": "1"},
        "modelName": "processes",
        "taskType": "Classification",
        "baseModel": {"uri": model.as_uri()},
        "dataset": {"uri": DATA.as_uri()},
        "training": {"mixedPrecision": "FP32", **training},
        "outputPrefix": (folder / "out").as_uri(),
        "storage": {},
    }
