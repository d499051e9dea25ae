"""Prometheus itself, as Debian has it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from localcluster import packages
from localcluster.control_plane import free_port
from localcluster.process import Command, Process, accepts


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; what it says is in stdout and stderr."""
    return subprocess.run(
        [_program("promtool"), *arguments], input=given, capture_output=True, text=True, check=False
    )


class Prometheus:
    """A server that scrapes one port of this machine every second."""

    def __init__(self, folder: Path, target: int, rules: Path) -> None:
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {
                    "job_name": "operator",
                    "honor_labels": True,
                    "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
                }
            ],
        }
        file = folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(configuration))
        self._port = free_port()
        arguments = (
            str(_program("prometheus")),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
        )
        ready = Command("prometheus", arguments, lambda: accepts("127.0.0.1", self._port))
        self._process = Process(ready, folder)

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

    def rules(self) -> list[dict[str, Any]]:
        """The alerts with their state."""
        return [rule for group in self._answer("rules")["groups"] for rule in group["rules"]]

    def _answer(self, what: str, **query: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self._port}/api/v1/{what}?{urlencode(query)}", timeout=30) as answer:
            return json.load(answer)["data"]


def _program(name: str) -> Path:
    return packages.unpacked("prometheus") / "usr/bin" / name
