"""Where the parts of one run's results are, under its prefix."""

from dataclasses import dataclass

from trainingrun_api.status import Artifacts


@dataclass(frozen=True)
class Places:
    """URIs under `prefix`, which has no slash at its end."""

    prefix: str

    @property
    def model(self) -> str:
        """Folder of the published model."""
        return f"{self.prefix}/model"

    @property
    def evaluation(self) -> str:
        """evaluation.json, written last."""
        return f"{self.prefix}/evaluation.json"

    @property
    def predictions(self) -> str:
        """predictions.parquet."""
        return f"{self.prefix}/predictions.parquet"

    @property
    def report(self) -> str:
        """report.html."""
        return f"{self.prefix}/report.html"

    @property
    def checkpoints(self) -> str:
        """Folder of the checkpoints."""
        return f"{self.prefix}/checkpoints"

    def final_checkpoints(self, epochs: int) -> str:
        """Folder of the checkpoints of a final fit of so many epochs."""
        return f"{self.checkpoints}/final-{epochs:04d}"

    @property
    def tensorboard(self) -> str:
        """Folder of the event file."""
        return f"{self.prefix}/tensorboard"

    @property
    def run(self) -> str:
        """run.json."""
        return f"{self.prefix}/run.json"

    def artifacts(self) -> Artifacts:
        """All of them, for status."""
        return Artifacts(
            model=self.model,
            evaluation=self.evaluation,
            predictions=self.predictions,
            report=self.report,
            tensorboard=self.tensorboard,
            checkpoints=self.checkpoints,
            run=self.run,
        )
