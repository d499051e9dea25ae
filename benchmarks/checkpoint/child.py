"""A run that writes down each step; arguments: its RunConfig and the file to write to."""

import sys
import time
from pathlib import Path

from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.interruption import Interruption


def main() -> None:
    """Train as the pod's program does, SIGTERM included."""
    interruption = Interruption()
    interruption.listen()
    config = RunConfig.model_validate_json(Path(sys.argv[1]).read_text())
    with Path(sys.argv[2]).open("a", buffering=1) as steps:
        last = 0

        def write(report: ProgressReport) -> None:
            nonlocal last
            progress = report.progress
            if progress.stage == "Training" and progress.step > last:
                # The first report of training is of the steps that were done before.
                steps.write(f"{time.monotonic()} {progress.step} {int(progress.training_loss is not None)}\n")
                last = progress.step

        pipeline.run(config, write, interruption)


if __name__ == "__main__":
    main()
