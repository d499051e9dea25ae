"""Prometheus itself, as Debian has it."""

import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from dashboards.drawing import Viewed, draw
from localcluster import packages
from localcluster.control_plane import free_port
from localcluster.process import Command, Process

MONITORING = Path(__file__).parents[2] / "charts/trainingrun-operator/files/monitoring"
SCREENSHOTS_VARIABLE = "TRAININGRUN_SCREENSHOTS"


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; what it says is in stdout and stderr."""
    return subprocess.run(
        [_program("promtool"), *arguments], input=given, capture_output=True, text=True, check=False
    )


class Prometheus:
    """A server that scrapes one address every second."""

    def __init__(self, folder: Path, target: str) -> None:
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(MONITORING / "rules.yaml")],
            "scrape_configs": [
                {
                    "job_name": "operator",
                    "honor_labels": True,
                    "static_configs": [{"targets": [target]}],
                }
            ],
        }
        file = folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(configuration))
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        arguments = (
            str(_program("prometheus")),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
        )
        self._process = Process(Command("prometheus", arguments, self._ready), folder)

    def __enter__(self) -> Self:
        self._process.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def values(self, expression: str) -> list[float]:
        """What the expression gives now, but for what isn't a number."""
        found = self._answer("query", query=expression)["result"]
        values = [float(series["value"][1]) for series in found]
        return [value for value in values if value == value]  # noqa: PLR0124

    def pairs(self, first: str, second: str, seconds: float) -> set[tuple[float, float]]:
        """The values that two expressions had at the same time, of the latest `seconds`."""
        span = {"start": time.time() - seconds, "end": time.time(), "step": 1}
        answers = [self._answer("query_range", query=one, **span)["result"] for one in (first, second)]
        of_first, of_second = (dict(series["values"]) for (series,) in answers)
        return {(float(of_first[at]), float(of_second[at])) for at in of_first.keys() & of_second.keys()}

    def rules(self) -> list[dict[str, Any]]:
        """The alerts with their state."""
        return [rule for group in self._answer("rules")["groups"] for rule in group["rules"]]

    def _ready(self) -> bool:
        with suppress(OSError):
            return bool(urlopen(f"{self.url}/-/ready", timeout=5).status == 200)
        return False

    def _answer(self, what: str, **query: str | float) -> Any:
        with urlopen(f"{self.url}/api/v1/{what}?{urlencode(query)}", timeout=30) as answer:
            return json.load(answer)["data"]


def draw_dashboards(prometheus: Prometheus, seconds: float, namespace: str, name: str, folder: Path) -> None:
    """Pictures of all dashboards over the latest time, to be looked at."""
    variables = {"namespace": namespace, "name": name}
    viewed = Viewed(prometheus.url, time.time() - seconds, time.time(), variables)
    pictures = Path(os.environ.get(SCREENSHOTS_VARIABLE) or folder)
    pictures.mkdir(parents=True, exist_ok=True)
    for path in (MONITORING / "dashboards").glob("*.json"):
        picture = pictures / f"dashboard-{path.stem}.png"
        draw(json.loads(path.read_text()), viewed, picture)
        assert picture.stat().st_size > 20_000


def _program(name: str) -> Path:
    return packages.unpacked("prometheus") / "usr/bin" / name
