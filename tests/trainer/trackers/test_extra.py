"""Trackers are an extra: nothing imports their packages unasked, and runs go without them."""

import subprocess
import sys

import pytest

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.run_config import MlflowExperiment, RunConfig
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts import open_store
from trainingrun_trainer.errors import SettingsError
from trainingrun_trainer.pipeline.run import trackers_of

from ..conftest import changed

PACKAGES = ("mlflow", "tensorboard")


@pytest.fixture(params=PACKAGES)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that can't be imported."""
    name = str(request.param)
    for module in [one for one in sys.modules if one.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    return name


@pytest.mark.parametrize(
    "module", ["trainingrun_trainer.__main__", "trainingrun_cli.__main__", "trainingrun_cli.local"]
)
def test_packages_of_trackers_are_not_imported_with_the_rest(module: str) -> None:
    code = f"import sys, {module}; print([one for one in {PACKAGES} if one + '.version' in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.stdout == "[]\n", said.stderr


@pytest.mark.usefixtures("missing")
def test_a_run_goes_without_what_it_does_not_ask_for(config: RunConfig, missing: str) -> None:
    result = pipeline.run(config, lambda report: None)
    assert (result.artifacts.tensorboard is None) == (missing == "tensorboard")


@pytest.mark.parametrize("missing", ["mlflow"], indirect=True)
@pytest.mark.usefixtures("missing")
def test_a_run_that_asks_for_a_tracker_is_told_what_to_install(config: RunConfig) -> None:
    asked = changed(config, mlflow=MlflowExperiment(tracking_uri="http://127.0.0.1:9", experiment="tickets"))
    paths = ArtifactPaths(config.output_prefix)
    with pytest.raises(SettingsError, match=r"spec\.tracking\.mlflow needs .*trainingrun\[trackers\]"):
        trackers_of(asked, open_store(paths.prefix, config.storage), paths)
