"""One of several processes that torchrun starts: trains each of the runs that a file configures."""

import os
import sys
from pathlib import Path

from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import distributed, pipeline
from trainingrun_trainer.distributed.node import FOLDER_VARIABLE


def main(configs: Path, folder: Path, last_step: str = "") -> None:
    """`folder` is there for all processes, which are gone when `last_step` is reached."""

    def listen(report: ProgressReport) -> None:
        if last_step and report.progress.step >= int(last_step):
            os._exit(1)

    distributed.join(sys.exit)
    for number, line in enumerate(configs.read_text().splitlines()):
        os.environ[FOLDER_VARIABLE] = str(folder / str(number))
        Path(os.environ[FOLDER_VARIABLE]).mkdir(exist_ok=True)
        pipeline.run(RunConfig.model_validate_json(line), listen)
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
