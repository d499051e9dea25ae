"""What `make release` writes, but for the images, which the end-to-end tests build."""

import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from trainingrun_api import __version__

from .release import CHART, run

ROOT = CHART.parents[1]
RELEASE = runpy.run_path(str(ROOT / "tools" / "release.py"))
PACKAGES = (
    "contract/trainingrun_api",
    "operator/trainingrun_operator",
    "cli",
    "trainer_image/trainingrun_trainer",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel has, as pip would unpack it."""
    folder = tmp_path_factory.mktemp("packages")
    RELEASE["write_packages"](folder)
    assert (folder / f"trainingrun-{__version__}.tar.gz").exists()
    with zipfile.ZipFile(folder / f"trainingrun-{__version__}-py3-none-any.whl") as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_has_all_files_of_the_packages_and_no_others(installed: Path) -> None:
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES)
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    ours = {line.partition("/")[2] for line in listed.splitlines() if (ROOT / line).exists()}
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {name for name in found if ".dist-info/" not in name} == ours


def test_the_command_of_the_wheel_says_the_version(installed: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", "--version"],
        cwd=installed,
        env=os.environ | {"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == f"trainingrun {__version__}\n"


def test_the_chart_has_the_version_and_images_of_it(tmp_path: Path) -> None:
    RELEASE["write_chart"](tmp_path)
    rendered = run("helm", "template", "x", str(tmp_path / f"trainingrun-operator-{__version__}.tgz"))
    assert rendered.returncode == 0, rendered.stderr
    assert f"app.kubernetes.io/version: {__version__}" in rendered.stdout.replace('"', "")
    for image in ("trainingrun-operator", "trainingrun-trainer"):
        assert f"{image}:{__version__}" in rendered.stdout
