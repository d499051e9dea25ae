"""One of several processes that torchrun starts: trains each of the runs that a file configures."""

import os
import sys
from pathlib import Path

from trainingrun_api.run_config import RunConfig
from trainingrun_trainer import distributed, pipeline
from trainingrun_trainer.distributed.node import FOLDER_VARIABLE


def main(configs: Path, folder: Path) -> None:
    """`folder` is there for all processes."""
    distributed.join(sys.exit)
    for number, line in enumerate(configs.read_text().splitlines()):
        os.environ[FOLDER_VARIABLE] = str(folder / str(number))
        Path(os.environ[FOLDER_VARIABLE]).mkdir(exist_ok=True)
        pipeline.run(RunConfig.model_validate_json(line), lambda _: None)
    distributed.leave()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
