"""Draws the pictures of reports in the documentation, of two runs on the example tickets that it trains."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from chromium import chromium
from demo.objectstore import BUCKET
from localcluster import S3Server
from localcluster.process import execute
from localcluster.progress import step

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
EXAMPLES = ROOT / "examples"
COMMAND = (sys.executable, "-m", "trainingrun_cli")
RUNS = ("tickets", "tickets-with-context")
SIZE = (1200, 840)


def draw(report: Path, comparison: Path, folder: Path) -> None:
    """The top of a run's report, a confusion with its texts, and the comparison with another run."""
    with chromium() as browser:
        page = _opened(browser, report)
        page.screenshot(path=folder / "report.png")
        page.locator("#pairs tbody tr").first.get_by_role("button").first.click()
        page.locator("#confusions").evaluate("(section) => section.scrollIntoView()")
        page.screenshot(path=folder / "report-confusions.png")
        _opened(browser, comparison).screenshot(path=folder / "comparison.png")


def _opened(browser: Browser, file: Path) -> Page:
    width, height = SIZE
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.goto(file.resolve().as_uri())
    return page


def _train(folder: Path) -> list[Path]:
    """Train the runs on data in an object store, so that reports name it and no file of this machine."""
    shutil.copytree(EXAMPLES / "data", folder / "store" / BUCKET / "data")
    with S3Server(folder / "store") as server:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret_key,
        }
        for name in RUNS:
            shutil.copy(EXAMPLES / f"{name}.yaml", folder)
            with step(f"training {name}"):
                execute(*COMMAND, "run", f"{name}.yaml", folder=folder, environment=environment)
    return [path.parent for path in sorted(folder.glob("runs/default/*/*/report.html"))]


def main() -> None:
    """Write them into docs/images."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        outputs = _train(folder)
        page = ("--no-open", "--output", "comparison.html")
        execute(*COMMAND, "compare", *map(str, outputs), *page, folder=folder)
        draw(outputs[0] / "report.html", folder / "comparison.html", IMAGES)


if __name__ == "__main__":
    main()
