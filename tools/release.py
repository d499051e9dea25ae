"""Writes a release into dist/: images, what they are made of, chart and Python packages, of one version."""

import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from bom import bill_of_materials
from localcluster import LocalClusterError, binaries, images
from localcluster.process import execute
from localcluster.progress import step
from trainingrun_api import __version__

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "trainingrun-operator"
DIST = ROOT / "dist"


def write_packages(folder: Path) -> None:
    """The source archive, and a wheel made from it and nothing else that lies in the checkout."""
    with tempfile.TemporaryDirectory() as unpacked:
        _build("sdist", ROOT, folder)
        name = f"trainingrun-{__version__}"
        with tarfile.open(folder / f"{name}.tar.gz") as archive:
            archive.extractall(unpacked, filter="data")
        _build("wheel", Path(unpacked, name), folder)


def _build(kind: str, source: Path, folder: Path) -> None:
    """By the locked setuptools, which is what pip would ask for it."""
    call = f"from setuptools import build_meta; build_meta.build_{kind}({str(folder)!r})"
    execute(sys.executable, "-c", call, folder=source)


def write_chart(folder: Path) -> None:
    """The chart, whose images have its version as tag."""
    binaries.ensure(("helm",))
    execute(str(binaries.path("helm")), "package", str(CHART), "--destination", str(folder))


def write_bills_of_materials(folder: Path) -> None:
    """What each image is made of."""
    for recipe in (images.OPERATOR, images.TRAINER):
        with images.mounted(recipe) as root:
            bill = bill_of_materials(recipe.name, __version__, root)
        (folder / f"{recipe.name}-{__version__}.cdx.json").write_text(bill)


def main() -> None:
    """Write it anew."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with step("Python packages and chart"):
        write_packages(DIST)
        write_chart(DIST)
    images.save(DIST, __version__)
    with step("bills of materials"):
        write_bills_of_materials(DIST)
    for file in sorted(DIST.iterdir()):
        print(f"{file.stat().st_size:>14,}  {file.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main()
    except LocalClusterError as error:
        sys.exit(f"release: {error}")
