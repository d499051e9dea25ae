"""What `make release` writes, but for the images, which the end-to-end tests build; and `make audit`."""

import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bom import bill_of_materials
from localcluster.control_plane import LOOPBACK, free_port
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


DPKG = """Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4+deb12u12
Description: Debian base system
 This package: more of it.

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def test_an_image_has_a_bill_of_its_packages(tmp_path: Path) -> None:
    (tmp_path / "opt" / "venv").mkdir(parents=True)
    (tmp_path / "opt" / "venv" / "lib").symlink_to(Path(sys.prefix, "lib"))
    (tmp_path / "var" / "lib" / "dpkg").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "dpkg" / "status").write_text(DPKG)
    bill = json.loads(bill_of_materials("trainer", "1.2.3", tmp_path))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {component["purl"] for component in bill["components"]}
    assert {purl for purl in found if "pkg:deb" in purl} == {
        "pkg:deb/debian/base-files@12.4%2Bdeb12u12?arch=amd64"
    }
    lock = (ROOT / "tools" / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))
    assert f"pkg:pypi/pydantic@{locked['pydantic']}" in found
    assert f"pkg:pypi/torch@{locked['torch']}" in found


def test_an_audit_without_a_data_base_says_so() -> None:
    nowhere = {"HTTPS_PROXY": f"http://{LOOPBACK}:{free_port()}"}
    script = str(ROOT / "tools" / "audit.py")
    said = subprocess.run(
        [sys.executable, script], env=os.environ | nowhere, check=True, capture_output=True, text=True
    )
    assert said.stdout.startswith("skipped: the data base of vulnerabilities at https://")
