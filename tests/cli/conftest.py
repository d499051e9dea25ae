"""Runs that the command line has trained, once for all tests."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from trainingrun_cli.__main__ import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Said(NamedTuple):
    """What a command ended with."""

    status: str | int | None
    out: str
    err: str


Command = Callable[..., Said]


class Trained(NamedTuple):
    """What the command said, and where it ran."""

    result: subprocess.CompletedProcess[str]
    folder: Path

    def output(self, name: str) -> Path:
        """The folder of a run's results."""
        (evaluation,) = self.folder.glob(f"runs/default/{name}/*/evaluation.json")
        return evaluation.parent


def trainingrun(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", *arguments],
        cwd=folder,
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


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process: another takes seconds to import torch, each time."""

    def run(*arguments: str, given: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["trainingrun", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(ended.value.code, *capsys.readouterr())

    return run
