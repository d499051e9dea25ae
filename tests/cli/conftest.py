"""Runs that the command line has trained, once for all tests."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Trained(NamedTuple):
    """What the command said, and where it ran."""

    result: subprocess.CompletedProcess[str]
    folder: Path

    def output(self, name: str) -> Path:
        """The folder of a run's results."""
        (evaluation,) = self.folder.glob(f"runs/default/{name}/*/evaluation.json")
        return evaluation.parent


def trainingrun(*arguments: str, folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; `given` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def manifest(folder: Path, name: str = "reviews", **spec: object) -> Path:
    """The example on reviews, with other fields."""
    run = yaml.safe_load((EXAMPLES / "reviews.yaml").read_text())
    run["metadata"]["name"] = name
    run["spec"].update(spec)
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


def train(path: Path) -> Trained:
    """Run a manifest in its folder."""
    folder = path.parent
    return Trained(trainingrun("run", str(path), "--data", str(EXAMPLES / "data"), folder=folder), folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One epoch of run `reviews`."""
    return train(manifest(tmp_path_factory.mktemp("run"), training={"maxEpochs": 1}))


@pytest.fixture(scope="session")
def retrained(trained: Trained) -> Trained:
    """One more epoch, in run `reviews-by-stars`, which reads the stars beside the text."""
    wanted = manifest(
        trained.folder,
        "reviews-by-stars",
        baseModel={"fromRun": {"name": "reviews"}},
        contextParameters=["stars"],
        training={"maxEpochs": 1},
    )
    return train(wanted)
