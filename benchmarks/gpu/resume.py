"""One run that is interrupted in an epoch and resumed."""

from dataclasses import dataclass
from pathlib import Path

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import Interrupted
from trainingrun_trainer.interruption import Interruption

STOP_AT = 10
"""Step, in the first epoch."""


@dataclass(frozen=True)
class Resumed:
    """What became of it."""

    stopped: int
    """Steps that were done."""
    went_on: bool
    """Whether the next attempt did from there."""
    loss: float
    """On the evaluation split."""
    undisturbed: float
    """That of a run that nothing happened to."""


class Stopping(Interruption):
    """Asks to stop once a step is done."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0

    @property
    def asked(self) -> bool:
        return self.step >= STOP_AT

    def hear(self, report: ProgressReport) -> None:
        """Of a step."""
        self.step = max(self.step, report.progress.step)


def resume_once(base: Path, texts: Path, work: Path) -> Resumed:
    """Train twice, once interrupted."""
    disturbed = _config(base, texts, work / "disturbed")
    stopping = Stopping()
    try:
        pipeline.run(disturbed, stopping.hear, stopping)
    except Interrupted:
        pass
    else:
        raise RuntimeError(f"the run has no {STOP_AT} steps")
    pipeline.run(disturbed, lambda report: None)
    evaluation = _evaluation(disturbed)
    undisturbed = _config(base, texts, work / "undisturbed")
    pipeline.run(undisturbed, lambda report: None)
    restarts = [restart.step for restart in evaluation.curves.restarts]
    return Resumed(stopping.step, restarts == [stopping.step], evaluation.loss, _evaluation(undisturbed).loss)


def _config(base: Path, texts: Path, folder: Path) -> RunConfig:
    return RunConfig.model_validate(
        {
            "run": {"namespace": "benchmark", "name": folder.name, "uid": "1"},
            "modelName": folder.name,
            "taskType": "Classification",
            "baseModel": {"uri": base.as_uri()},
            "dataset": {"uri": texts.as_uri()},
            "skipDuplicates": False,
            "trainPercent": 80,
            "training": {"maxEpochs": 1, "similarityStage": "Never"},
            "outputPrefix": folder.as_uri(),
            "storage": {},
        }
    )


def _evaluation(config: RunConfig) -> Evaluation:
    path = Path(config.output_prefix.removeprefix("file://")) / "evaluation.json"
    return Evaluation.model_validate_json(path.read_text())
